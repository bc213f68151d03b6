// Map groups and transfers for subgroups of 8 lanes: load, prologue, epilogue, store, a quad of a sample a workgroup.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { Home, Schedule, ScheduledMap, TransferGroup } from '../../schedule/schedule.ts';
import { type Extent, extentOf, isHalf, nodeOf } from '../../schedule/values.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, joinFragments, standing } from '../fragment.ts';
import { affinePrologue, loadInput, loadSources, readValue } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { quadsAs, readQuad } from '../wgsl/packing.ts';
import { mapSizes } from './map.ts';

/** Octets of pixels of a workgroup. */
const OCTETS = 16;

export function mapSubgroup({ graph }: Schedule, group: ScheduledMap): KernelCall {
  const upsample = group.upsample === null ? null : nodeOf(graph, group.upsample, 'upsample_nearest');
  const out = extentOf(graph, group.result);
  const fused = joinFragments(
    loadInput(graph, group, 'sizes.in_pixels'),
    affinePrologue(graph, group, '(sizes.quads0 + sizes.quads1)'),
    epilogueOf(graph, group.epilogue, { home: group.home }),
    storeResult(graph, group),
  );
  return callMap(out, upsample ? extentOf(graph, upsample.inputs[0]!) : out, fused, upsample?.attrs.factor);
}

export function transfer({ graph }: Schedule, group: TransferGroup): KernelCall {
  const out = extentOf(graph, group.result);
  return callMap(out, out, joinFragments(loadOther(graph, group), storeResult(graph, group)));
}

/** Loads a value from where it is not to be. */
function loadOther(graph: OpGraph, { result, home }: TransferGroup): Fragment {
  if (home === 'buffer') return loadSources(graph, [result], 'load_input', 'texture');
  const at = '(sample * sizes.in_pixels + pixel) * sizes.quads0 + quad';
  return {
    hooks: { load_input: [`return ${readQuad('source0', at, isHalf(graph, result))};`] },
    functions: [],
    extra: [readValue(graph, 'source0', result, 'buffer')],
    sizes: { quads0: extentOf(graph, result).quads },
  };
}

function storeResult(
  graph: OpGraph,
  { result, home }: { readonly result: number; readonly home: Home },
): Fragment {
  const half = isHalf(graph, result);
  const quad = half ? 'pack_quad(value)' : 'value';
  const store =
    home === 'texture'
      ? `result[(sample * sizes.out_quads + quad) * sizes.pixels + pixel] = ${quad};`
      : `result[(sample * sizes.pixels + pixel) * sizes.out_quads + quad] = ${quad};`;
  return {
    hooks: { store_result: [store] },
    functions: [],
    extra: [
      { name: 'result', type: quadsAs(half), access: 'read_write', resource: standing(graph, result, home) },
    ],
    sizes: {},
  };
}

function callMap(out: Extent, input: Extent, fused: Fragment, factor: readonly number[] = []): KernelCall {
  return callKernel({
    file: 'map_subgroup',
    consts: { OCTETS, TEXTURE_WIDTH },
    ...fused,
    declared: {},
    workgroups: [Math.ceil(out.pixels / (OCTETS * 8)), out.quads, out.batch],
    sizes: { ...fused.sizes, ...mapSizes(out, input, factor) },
  });
}
