// Which of the buffers and textures that a kernel declares hold float16, and the hooks by which it then loads and stores.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import type { ScheduledConv } from '../schedule/schedule.ts';
import { isHalf } from '../schedule/values.ts';
import { type Fragment, joinFragments } from './fragment.ts';
import { type HalfType, readChannel, readQuad } from './wgsl/packing.ts';

/** The values in declared buffers by name: `result` is stored by quads, all others are loaded as `element` says. */
export function storedHalves(
  graph: OpGraph,
  values: Readonly<Record<string, number>>,
  element: 'quad' | 'channel' = 'quad',
): Fragment {
  const names = Object.keys(values).filter((name) => isHalf(graph, values[name]!));
  return joinFragments(
    ...names.map((name): Fragment => {
      if (name === 'result') return declared(name, 'array<vec2u>', 'store', 'result[at] = pack_quad(quad);');
      return element === 'quad'
        ? declared(name, 'array<vec2u>', 'load', `return ${readQuad(name, 'at', true)};`)
        : declared(name, 'array<u32>', 'load', `return ${readChannel(name, 'at', true)};`);
    }),
  );
}

/**
 * The same of kernels that keep activations in textures, where float16 stands in buffers in the order of texels: they load a
 * place by `load_NAME` and store what `as_stored` makes of a quad.
 */
export function texelHalves(graph: OpGraph, values: Readonly<Record<string, number>>): Fragment {
  const { result, ...loaded } = values;
  if (result === undefined || !isHalf(graph, result)) return storedHalves(graph, loaded);
  const hooks = { as_stored: ['return pack_quad(quad);'] };
  const stored: Fragment = { ...joinFragments(), hooks, types: { result: 'array<vec2u>' } };
  return joinFragments(storedHalves(graph, loaded), stored);
}

/**
 * An epilogue whose result is rounded to float16 before statistics are taken of it: those of a norm are of the values that it
 * will normalise.
 */
export function roundedEpilogue(graph: OpGraph, group: ScheduledConv, fused: Fragment): Fragment {
  if (!group.writes || !isHalf(graph, group.result)) return fused;
  const body = fused.hooks.epilogue ?? ['return sum;'];
  invariant(!('lines' in body), `the epilogue of %${group.anchor} is no short hook`);
  const [, result] = /^return (.*);$/.exec(body.at(-1)!)!;
  const epilogue = [...body.slice(0, -1), `return round_quad(${result});`];
  return { ...fused, hooks: { ...fused.hooks, epilogue } };
}

function declared(name: string, type: HalfType, verb: 'load' | 'store', line: string): Fragment {
  const hooks = { [`${verb}_${name}`]: [line] };
  return { hooks, functions: [], extra: [], sizes: {}, types: { [name]: type } };
}
