// A convolution group by Winograd's F(2x2, 3x3) becomes three calls: input transform, 16 products, output transform.

import type { Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import { TEXTURE_WIDTH } from '../../schedule/storage.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { PLANES, samplesAtOnce, TILE_PIXELS } from '../../schedule/winograd.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, joinFragments, readBuffer, statisticsBuffer, value } from '../fused-ops.ts';
import { type ActivationResource, callKernel, type KernelCall, type WeightBlob } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';

/** Input channels of a step: a quad. */
const CHUNK = 4;

export function convWinograd(schedule: Schedule, group: ScheduledGroup): readonly KernelCall[] {
  const { batch } = extentOf(schedule.graph, group.result);
  const most = samplesAtOnce(schedule.graph, group);
  const weights = packWeights(schedule, group);
  const calls: KernelCall[] = [];
  for (let first = 0; first < batch; first += most) {
    const part = { first, samples: Math.min(most, batch - first) };
    calls.push(
      inputTransform(schedule, group, part),
      products(schedule, group, part, weights.product),
      outputTransform(schedule, group, part, weights.bias),
    );
  }
  return calls;
}

/** The transformed weights, which every part of the batch reads, and the bias. */
function packWeights({ graph }: Schedule, group: ScheduledGroup) {
  const [, weight, bias] = nodeOf(graph, group.anchor, 'conv').inputs;
  const product = createWeightsBuilder(graph);
  product.winograd(weight!, group.tile!, CHUNK);
  const vectors = createWeightsBuilder(graph);
  vectors.vector(bias!);
  return { product: product.finish('texture'), bias: vectors.finish() };
}

/** The samples that are computed at once. */
interface Part {
  readonly first: number;
  readonly samples: number;
}

function inputTransform({ graph }: Schedule, group: ScheduledGroup, { first, samples }: Part): KernelCall {
  const { height, width, quads } = extentOf(graph, group.sources[0]!);
  const tiles = tilesOf(height * width);
  return callKernel({
    file: 'winograd_input',
    declared: { source0: value(group.sources[0]!), result: { kind: 'transformed', value: group.result } },
    copy: { from: { kind: 'transformed', value: group.result }, to: transformed(group) },
    workgroups: [Math.ceil(tiles / 8), Math.ceil(quads / 8), samples],
    sizes: { first_sample: first, tiles, tiles_x: width / 2, height, width, quads },
  });
}

/** The products of a plane are a 1x1 convolution of the tiles, and planes are its samples. */
function products(
  { graph }: Schedule,
  group: ScheduledGroup,
  { samples }: Part,
  product: WeightBlob,
): KernelCall {
  const out = extentOf(graph, group.result);
  const { quads } = extentOf(graph, group.sources[0]!);
  const tiles = tilesOf(out.pixels);
  const tile = group.tile!;
  return callKernel({
    file: 'conv_subgroup',
    consts: { OCTETS: tile.m / 8, BLOCKS: tile.n / 8, TEXTURE_WIDTH },
    hooks: { load_input: ['return textureLoad(transformed, texel(pixel * sizes.quads0 + quad));'] },
    declared: { product: { kind: 'product' }, result: { kind: 'planes', value: group.result } },
    extra: [readBuffer('transformed', transformed(group), 'texture')],
    product,
    workgroups: [Math.ceil(tiles / tile.m), Math.ceil(out.channels / tile.n), samples * PLANES],
    sizes: {
      pixels: tiles,
      height: 1,
      width: tiles,
      out_quads: out.quads,
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
      quads0: quads,
      planes: PLANES,
    },
  });
}

function outputTransform(
  { graph }: Schedule,
  group: ScheduledGroup,
  { first, samples }: Part,
  bias: WeightBlob,
): KernelCall {
  const out = extentOf(graph, group.result);
  const tiles = tilesOf(out.pixels);
  const fused = joinFragments(
    epilogueOf(graph, group.epilogue, 'quad'),
    group.writes ? writeStatistics(group) : joinFragments(),
  );
  return callKernel({
    file: 'winograd_output',
    ...fused,
    declared: {
      weights: { kind: 'weights' },
      products: { kind: 'planes', value: group.result },
      result: value(group.result),
    },
    weights: bias,
    workgroups: [Math.ceil(tiles / 16), Math.ceil(out.quads / 8), samples],
    sizes: {
      ...fused.sizes,
      first_sample: first,
      pixels: out.pixels,
      tiles,
      tiles_x: out.width / 2,
      out_quads: out.quads,
    },
  });
}

function tilesOf(pixels: number): number {
  return pixels / TILE_PIXELS;
}

/** What the products read. */
function transformed(group: ScheduledGroup): ActivationResource {
  return { kind: 'transformed_texture', value: group.result };
}

/** Mean, then squared deviations from it, over the pixels of 16 tiles: each row of threads sums its own, then all. */
function writeStatistics(group: ScheduledGroup): Fragment {
  const sumRows = (name: string) => [
    'workgroupBarrier();',
    `row_sums[lane] = ${name};`,
    'for (var half = 32u; half >= 8u; half /= 2u) {',
    '  workgroupBarrier();',
    '  if (lane < half) { row_sums[lane] += row_sums[lane + half]; }',
    '}',
    'workgroupBarrier();',
    `${name} = row_sums[lane % 8u];`,
  ];
  return {
    hooks: {
      finish_tile: [
        'let pixels = min(64u, sizes.pixels - tile * 64u);',
        'var mean = vec4f();',
        'for (var i = 0u; i < 8u; i++) { mean += values[i]; }',
        ...sumRows('mean'),
        'mean /= f32(pixels);',
        'var m2 = vec4f();',
        'for (var i = 0u; i < 8u; i++) {',
        '  let deviation = values[i] - mean;',
        '  let inside = tile * 16u + i / 4u * 8u + lane / 8u < sizes.tiles;',
        '  m2 += select(vec4f(), deviation * deviation, inside);',
        '}',
        ...sumRows('m2'),
        'if (lane < 8u && quad < sizes.out_quads) {',
        '  let at = ((sample * ((sizes.pixels + 63u) / 64u) + tile) * sizes.out_quads + quad) * 2u;',
        '  statistics[at] = mean;',
        '  statistics[at + 1u] = m2;',
        '}',
      ],
    },
    functions: [],
    extra: [statisticsBuffer(group, 'array<vec4f>')],
    sizes: {},
  };
}
