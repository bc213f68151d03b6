// The calls of a convolution whose inner dimension workgroups share: products that each leave a slice of the sum, and what adds
// slices up and does what follows a convolution; both for each part of a batch, whose slices are in memory at once.

import type { StoredType } from '../../../runtime/bundle.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import { pixelsOfSum, samplesOfSlices } from '../../schedule/choices/slices.ts';
import type { Resource } from '../../schedule/resources.ts';
import type { ScheduledConv } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, fragmentOf, joinFragments, value } from '../fragment.ts';
import { writeStatistics } from '../fused-ops.ts';
import { storedHalves } from '../half.ts';
import { type CallRequest, callKernel, type KernelCall, type WeightBlob } from '../kernel-call.ts';
import { READ_VECTORS } from '../stored-weights.ts';
import type { FragmentFile } from '../wgsl/source.ts';

/** The weights that both kernels read: where the bias begins, in vectors, and how the product's are stored. */
interface SliceWeights {
  readonly blob: WeightBlob;
  readonly biasAt: number;
  readonly stored: StoredType;
}

/** What a product has that leaves slices: its code, the sizes that tell which, and its grid for a sample. */
export interface SlicedProduct {
  readonly fragment: FragmentFile;
  readonly sizes: Readonly<Record<string, number>>;
  readonly tiles: number;
  readonly columnTiles: number;
  call(request: Pick<CallRequest, 'declared' | 'workgroups'>, fragment: Fragment): KernelCall;
}

export function callsInSlices(
  graph: OpGraph,
  group: ScheduledConv,
  { fragment, sizes, tiles, columnTiles, call }: SlicedProduct,
  weights: SliceWeights,
): readonly KernelCall[] {
  const { batch, pixels, quads } = extentOf(graph, group.result);
  const most = samplesOfSlices(graph, group);
  const slice_quads = most * pixels * quads;
  const calls: KernelCall[] = [];
  for (let first = 0; first < batch; first += most) {
    const samples = Math.min(most, batch - first);
    const own = { first_sample: first, slice_quads };
    const slice = {
      ...joinFragments(fragmentOf(fragment)),
      types: { result: 'array<vec4f>' } as const,
      sizes: { ...own, ...sizes, column_tiles: columnTiles },
    };
    const declared = { weights: { kind: 'weights' }, result: partsOf(group) } as const;
    calls.push(call({ declared, workgroups: [tiles, columnTiles * group.slices, samples] }, slice));
    calls.push(sumOfSlices(graph, group, weights, { ...own, samples }));
  }
  return calls;
}

function sumOfSlices(
  graph: OpGraph,
  group: ScheduledConv,
  { blob, biasAt, stored }: SliceWeights,
  {
    samples,
    ...own
  }: { readonly samples: number; readonly first_sample: number; readonly slice_quads: number },
): KernelCall {
  const { pixels, height, width, quads } = extentOf(graph, group.result);
  const tile = pixelsOfSum(graph, group);
  const columns = tile === 16 ? 4 : 2;
  const fused = joinFragments(
    epilogueOf(graph, group.epilogue),
    writeStatistics(group, 'conv_gemm_statistics'),
    storedHalves(graph, { result: group.result }),
    READ_VECTORS[stored],
  );
  return callKernel({
    file: 'sum_slices',
    consts: { TILE_M: tile, COLUMNS: columns },
    ...fused,
    declared: { weights: { kind: 'weights' }, parts: partsOf(group), result: value(group.result) },
    weights: blob,
    workgroups: [Math.ceil(pixels / tile), Math.ceil(quads / columns), samples],
    sizes: {
      ...{ ...fused.sizes, ...own, pixels, height, width },
      ...{ out_quads: quads, slices: group.slices, bias_at: biasAt },
    },
  });
}

function partsOf({ result }: ScheduledConv): Resource {
  return { kind: 'parts', value: result };
}
