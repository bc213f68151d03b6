// A convolution group by Winograd's F(4x4, 3x3) on GPUs: an input transform with what is fused in front of the convolution, a
// matrix product for every plane, an output transform with what is fused behind it. Large batches are computed in parts.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { tileAmong } from '../../schedule/choices/gpu-winograd.ts';
import { GEMM_CHUNK, stagedSteps } from '../../schedule/choices/slices.ts';
import { planesOf, samplesAtOnce, tilesOf } from '../../schedule/choices/winograd.ts';
import type { Resource } from '../../schedule/resources.ts';
import type { ScheduledConv } from '../../schedule/schedule.ts';
import { normOf } from '../../schedule/statistics.ts';
import { extentOf, nodeOf, padSpace, quadsOf } from '../../schedule/values.ts';
import { epilogueOf } from '../epilogue.ts';
import { joinFragments, value } from '../fragment.ts';
import { loadInput, prologueOf, writeStatistics } from '../fused-ops.ts';
import { callKernel, type KernelCall, type WeightBlob } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { normBuffers, prologueHook } from './map.ts';
import { inputTransformOf, outputTransformOf } from './winograd-transforms.ts';

/** Pixels of a side of a tile. */
const M = 4;

/** Quads, and tiles, of a workgroup of a transform that its threads take at once. */
const QUADS = 16;
const TILES = 4;

/** Workgroups of an input transform that are enough: more would only repeat what a norm computes once. */
const ENOUGH_WORKGROUPS = 64;

export function convWinogradWorkgroup(graph: OpGraph, group: ScheduledConv): readonly KernelCall[] {
  const { op, inputs } = graph.nodes[group.anchor]!;
  const [, weight, bias] = inputs;
  const out = extentOf(graph, group.result);
  const weights = createWeightsBuilder(graph);
  weights.winograd(weight!, {
    m: M,
    tile: group.tile,
    chunk: GEMM_CHUNK,
    transposed: op === 'conv_transpose',
  });
  const biasAt = weights.bias(bias, out.channels) / 4;
  const transform = inputTransform(graph, group, weights);
  const blob = weights.finish();
  const most = samplesAtOnce(graph, group, M);
  const calls: KernelCall[] = [];
  for (let first = 0; first < out.batch; first += most) {
    const samples = Math.min(most, out.batch - first);
    calls.push(
      transform(first, samples, blob),
      product(graph, group, samples, blob),
      outputTransform(graph, group, { first, samples, blob, biasAt }),
    );
  }
  return calls;
}

/** The calls that transform so many samples, once the weights are known, which those of a norm are among. */
function inputTransform(
  graph: OpGraph,
  group: ScheduledConv,
  weights: ReturnType<typeof createWeightsBuilder>,
): (first: number, samples: number, blob: WeightBlob) => KernelCall {
  const { height, width } = extentOf(graph, group.anchor);
  // the operand as it is written in the graph: its storage may have been written in another shape
  const upsample = group.upsample === null ? null : nodeOf(graph, group.upsample, 'upsample_nearest');
  const input = extentOf(graph, (upsample ?? graph.nodes[group.anchor]!).inputs[0]!);
  const [, scale_h, scale_w] = padSpace(upsample?.attrs.factor ?? [], 1);
  const tiles = tilesOf(graph, group.anchor, M);
  const prologue = prologueOf(graph, group, weights);
  const normed = normOf(graph, group) !== null;
  const fused = joinFragments(
    loadInput(graph, group, 'sizes.in_pixels'),
    normed ? normBuffers() : joinFragments(),
    prologue,
    prologueHook(prologue),
  );
  const columns = Math.ceil(quadsOf(graph, group.sources) / QUADS);
  const rows = Math.max(1, Math.min(Math.ceil(tiles / TILES), Math.ceil(ENOUGH_WORKGROUPS / columns)));
  const atOnce = Math.ceil(tiles / rows / TILES) * TILES;
  return (first, samples, blob) =>
    callKernel({
      file: 'winograd_input',
      ...fused,
      hooks: { ...fused.hooks, transform: inputTransformOf(M) },
      declared: { result: planes('input_planes', group) },
      weights: normed ? blob : null,
      workgroups: [Math.ceil(tiles / atOnce), columns, samples],
      sizes: {
        ...fused.sizes,
        ...{ first_sample: first, tiles, tiles_x: Math.ceil(width / M), tiles_at_once: atOnce },
        plane_tiles: samples * tiles,
        ...{ height, width, in_width: input.width, in_pixels: input.pixels, scale_h, scale_w },
      },
    });
}

function product(graph: OpGraph, group: ScheduledConv, samples: number, blob: WeightBlob): KernelCall {
  const { quads: out_quads, channels } = extentOf(graph, group.result);
  const tiles = samples * tilesOf(graph, group.anchor, M);
  const quads = quadsOf(graph, group.sources);
  const { m, n } = samples === 1 ? group.tile : tileAmong(tiles, channels, group.tile);
  const columns = Math.ceil(channels / n);
  return callKernel({
    file: 'winograd_product',
    consts: { TILE_M: m, TILE_N: n, DEPTH: stagedSteps({ m, n }) },
    declared: {
      weights: { kind: 'weights' },
      planes: planes('input_planes', group),
      result: planes('output_planes', group),
    },
    weights: blob,
    workgroups: [Math.ceil(tiles / m), columns, planesOf(M)],
    sizes: {
      ...{ tiles, quads, out_quads, column_tiles: columns },
      ...{ steps: Math.ceil((quads * 4) / GEMM_CHUNK), step_quads: GEMM_CHUNK / 4 },
    },
  });
}

/** The samples of a part of the batch, and the weights with the place of the bias. */
interface Part {
  readonly first: number;
  readonly samples: number;
  readonly blob: WeightBlob;
  readonly biasAt: number;
}

function outputTransform(
  graph: OpGraph,
  group: ScheduledConv,
  { first, samples, blob, biasAt }: Part,
): KernelCall {
  const { quads, pixels, height, width } = extentOf(graph, group.result);
  const tiles = tilesOf(graph, group.anchor, M);
  const fused = joinFragments(
    epilogueOf(graph, group.epilogue),
    writeStatistics(group, 'winograd_row_statistics'),
  );
  return callKernel({
    file: 'winograd_output',
    ...fused,
    hooks: { ...fused.hooks, transform: outputTransformOf(M) },
    declared: {
      weights: { kind: 'weights' },
      planes: planes('output_planes', group),
      result: value(group.result),
    },
    weights: blob,
    workgroups: [Math.ceil(height / M), Math.ceil(quads / QUADS), samples],
    sizes: {
      ...fused.sizes,
      ...{ first_sample: first, tiles, tiles_x: Math.ceil(width / M), plane_tiles: samples * tiles },
      ...{ pixels, height, width, out_quads: quads, bias_at: biasAt },
    },
  });
}

function planes(kind: 'input_planes' | 'output_planes', { result, home }: ScheduledConv): Resource {
  return kind === 'input_planes' ? { kind, value: result, home } : { kind, value: result };
}
