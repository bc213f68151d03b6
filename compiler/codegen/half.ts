// Which of the buffers that a kernel declares hold float16, and the hooks by which it then loads and stores.

import type { OpGraph } from '../opgraph/opgraph.ts';
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

function declared(name: string, type: HalfType, verb: 'load' | 'store', line: string): Fragment {
  const hooks = { [`${verb}_${name}`]: [line] };
  return { hooks, functions: [], extra: [], sizes: {}, types: { [name]: type } };
}
