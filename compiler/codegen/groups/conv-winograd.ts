// A convolution group by Winograd's F(m x m, 3 x 3) becomes calls of three kernels: an input transform for each source,
// one product for every plane, an output transform.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { planeRow, planesOf, samplesAtOnce, tilesOf } from '../../schedule/choices/winograd.ts';
import type { Resource } from '../../schedule/resources.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { ScheduledConv, WinogradTile } from '../../schedule/schedule.ts';
import { extentOf, quadsOf } from '../../schedule/values.ts';
import { epilogueOf } from '../epilogue.ts';
import { joinFragments, readBuffer, standing } from '../fragment.ts';
import { affinePrologue, writeStatistics } from '../fused-ops.ts';
import { roundedEpilogue, texelHalves } from '../half.ts';
import { callKernel, type KernelCall, type WeightBlob } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { productOf } from './conv-tile.ts';
import { inputTransformOf, outputTransformOf } from './winograd-transforms.ts';

/** Input channels of a step: a quad. */
const CHUNK = 4;

/** What the calls of one convolution share. */
interface Convolution {
  readonly graph: OpGraph;
  readonly group: ScheduledConv;
  readonly m: WinogradTile;
  /** Tiles of a sample, and of a row of it. */
  readonly tiles: number;
  readonly tilesX: number;
  /** The transformed weights with the bias behind them, which every part of the batch reads. */
  readonly product: WeightBlob;
  readonly biasAt: number;
}

/** The samples that are computed at once. */
interface Part {
  readonly first: number;
  readonly samples: number;
}

export function convWinograd(graph: OpGraph, group: ScheduledConv, m: WinogradTile): readonly KernelCall[] {
  const { op, inputs } = graph.nodes[group.anchor]!;
  const [, weight, bias] = inputs;
  const { batch, width, channels } = extentOf(graph, group.anchor);
  const weights = createWeightsBuilder(graph);
  weights.winograd(weight!, { m, tile: group.tile, chunk: CHUNK, transposed: op === 'conv_transpose' });
  const biasAt = weights.bias(bias, channels) / 4;
  const conv: Convolution = {
    graph,
    group,
    m,
    tiles: tilesOf(graph, group.anchor, m),
    tilesX: Math.ceil(width / m),
    product: weights.finish('texture'),
    biasAt,
  };
  const most = samplesAtOnce(graph, group, m);
  const calls: KernelCall[] = [];
  for (let first = 0; first < batch; first += most) {
    const part = { first, samples: Math.min(most, batch - first) };
    calls.push(...inputTransforms(conv, part), products(conv, part), outputTransform(conv, part));
  }
  return calls;
}

/** One call a source: a concat is never written. */
function inputTransforms(conv: Convolution, { first, samples }: Part): readonly KernelCall[] {
  const { graph, group, m, tiles, tilesX } = conv;
  const prologue = affinePrologue(graph, group, 'sizes.all_quads');
  const all = quadsOf(graph, group.sources);
  // the size as the convolution has it: a source may have been written in another shape
  const { height, width } = extentOf(graph, group.anchor);
  let firstQuad = 0;
  return group.sources.map((source) => {
    const { quads } = extentOf(graph, source);
    const fused = joinFragments(prologue, texelHalves(graph, { source }));
    const call = callKernel({
      file: 'winograd_input_subgroup',
      consts: { M: m, PATCH: m + 2, TEXTURE_WIDTH },
      ...fused,
      hooks: { ...fused.hooks, transform: inputTransformOf(m) },
      declared: { source: standing(graph, source, group.home), result: inputPlanes(conv) },
      workgroups: [Math.ceil(tiles / 8), quads, samples],
      sizes: {
        first_sample: first,
        tiles,
        tiles_x: tilesX,
        height,
        width,
        quads,
        all_quads: all,
        first_quad: firstQuad,
        plane_row: planeRow(tiles),
        sample_step: planesOf(m) * all * planeRow(tiles),
      },
    });
    firstQuad += quads;
    return call;
  });
}

/** The products of a plane are a 1x1 convolution of the tiles, and planes are its samples. */
function products(conv: Convolution, { samples }: Part): KernelCall {
  const { graph, group, m, tiles, product } = conv;
  const out = extentOf(graph, group.anchor);
  const tile = group.tile;
  return callKernel({
    file: 'conv_subgroup',
    ...productOf(tile, {
      load_input: [
        'return textureLoad(transformed, texel((sample * sizes.quads0 + quad) * sizes.in_pixels + pixel));',
      ],
      mask_tap: ['return loaded;'], // tiles beyond the last one are not stored
    }),
    declared: { product: { kind: 'product' }, result: outputPlanes(conv) },
    extra: [readBuffer('transformed', inputPlanes(conv), 'texture')],
    product,
    workgroups: [Math.ceil(tiles / tile.m), Math.ceil(out.channels / tile.n), samples * planesOf(m)],
    sizes: {
      pixels: tiles,
      height: 1,
      width: tiles,
      out_quads: out.quads,
      in_pixels: planeRow(tiles),
      in_depth: 1,
      in_height: 1,
      in_width: tiles,
      scale_d: 1,
      scale_h: 1,
      scale_w: 1,
      kernel_h: 1,
      kernel_w: 1,
      stride_d: 1,
      stride_h: 1,
      stride_w: 1,
      taps: 1,
      quads0: quadsOf(graph, group.sources),
      out_row: planeRow(tiles),
      planes: planesOf(m),
    },
  });
}

function outputTransform(conv: Convolution, { first, samples }: Part): KernelCall {
  const { graph, group, m, tiles, tilesX, product, biasAt } = conv;
  const out = extentOf(graph, group.anchor);
  const joined = joinFragments(
    epilogueOf(graph, group.epilogue, { home: group.home, pixels: 'sizes.height * sizes.width' }),
    writeStatistics(group, 'winograd_output_statistics'),
    texelHalves(graph, { result: group.result }),
  );
  const fused = roundedEpilogue(graph, group, joined);
  return callKernel({
    file: 'winograd_output_subgroup',
    consts: { M: m, PATCH: m + 2, TEXTURE_WIDTH },
    ...fused,
    hooks: { ...fused.hooks, transform: outputTransformOf(m) },
    declared: {
      product: { kind: 'product' },
      planes: outputPlanes(conv),
      result: standing(graph, group.result, group.home),
    },
    product,
    workgroups: [Math.ceil(tiles / 8), out.quads, samples],
    sizes: {
      ...fused.sizes,
      first_sample: first,
      tiles,
      tiles_x: tilesX,
      height: out.height,
      width: out.width,
      out_quads: out.quads,
      plane_row: planeRow(tiles),
      bias_at: biasAt,
    },
  });
}

function inputPlanes({ group }: Convolution): Resource {
  return { kind: 'input_planes', value: group.result, home: group.home };
}

function outputPlanes({ group }: Convolution): Resource {
  return { kind: 'output_planes', value: group.result };
}
