// A convolution group becomes a call of conv_gemm: sizes, tile, packed weights, and hooks for what is fused.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import { sizeOf } from '../../ops/op.ts';
import type { ScheduledGroup } from '../../schedule/schedule.ts';
import { extentOf, nodeOf, padSpace } from '../../schedule/values.ts';
import {
  epilogueOf,
  type Fragment,
  joinFragments,
  loadSources,
  type Prologue,
  prologueOf,
  value,
} from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';

/** Input channels of a step of the product. */
const CHUNK = 16;

export function conv(graph: OpGraph, group: ScheduledGroup): KernelCall {
  const node = graph.nodes[group.anchor]!;
  invariant(node.op === 'conv' || node.op === 'conv_transpose', `%${group.anchor} is no convolution`);
  const tile = group.tile!;
  const out = extentOf(graph, group.result);
  // the operand as it is written in the graph: its storage may have been written in another shape
  const upsample = group.upsample === null ? null : nodeOf(graph, group.upsample, 'upsample_nearest');
  const input = extentOf(graph, (upsample ?? node).inputs[0]!);
  const weight = node.inputs[1]!;
  const bias = node.inputs[2]!;
  const kernel = padSpace(graph.nodes[weight]!.type.shape.slice(2), 1);
  const transposed = node.op === 'conv_transpose';
  const loaded = loadSources(graph, group.sources, 'load_input');
  const skip = group.skip ? loadSources(graph, group.skip.sources, 'load_skip') : joinFragments();
  const chunks = chunksOf(loaded, '');
  const skipChunks = chunksOf(skip, 'skip_');
  const taps = sizeOf(kernel);
  const steps = chunks * taps + skipChunks;

  const weights = createWeightsBuilder(graph);
  const offset = weights.reserveProduct(out.channels, steps, CHUNK, tile);
  weights.product(weight, { tile, chunk: CHUNK, steps, firstStep: 0, transposed, offset });
  const biasAt = weights.vector(bias);
  if (group.skip) {
    const [, skipWeight, skipBias] = graph.nodes[group.skip.conv]!.inputs;
    weights.product(skipWeight!, {
      tile,
      chunk: CHUNK,
      steps,
      firstStep: chunks * taps,
      transposed: false,
      offset,
    });
    weights.accumulate(skipBias!, biasAt);
  }
  const prologue = prologueOf(graph, group, weights);
  const fused = joinFragments(
    loaded,
    skip,
    prologue,
    prologueHooks(prologue),
    transposed ? TRANSPOSED : joinFragments(),
    epilogueOf(graph, group.epilogue),
    group.writes ? writeStatistics(group) : joinFragments(),
  );
  const [stride_d, stride_h, stride_w] = padSpace(node.attrs.stride, 1);
  const [pad_d, pad_h, pad_w] = padSpace(node.attrs.padding, 0);
  const [scale_d, scale_h, scale_w] = padSpace(upsample?.attrs.factor ?? [], 1);
  return callKernel({
    file: 'conv_gemm',
    consts: { TILE_M: tile.m, TILE_N: tile.n },
    ...fused,
    declared: { weights: { kind: 'weights' }, result: value(group.result) },
    weights: weights.finish(),
    workgroups: [Math.ceil(out.pixels / tile.m), Math.ceil(out.channels / tile.n), out.batch],
    sizes: {
      ...fused.sizes,
      pixels: out.pixels,
      height: out.height,
      width: out.width,
      out_quads: out.quads,
      in_depth: input.depth,
      in_height: input.height,
      in_width: input.width,
      scale_d,
      scale_h,
      scale_w,
      kernel_h: kernel[1],
      kernel_w: kernel[2],
      stride_d,
      stride_h,
      stride_w,
      pad_d,
      pad_h,
      pad_w,
      taps,
      chunk_quads: CHUNK / 4,
      chunks,
      skip_chunks: skipChunks,
      bias_at: biasAt / 4,
    },
  });
}

function chunksOf(loaded: Fragment, prefix: string): number {
  const quads = (loaded.sizes[`${prefix}quads0`] ?? 0) + (loaded.sizes[`${prefix}quads1`] ?? 0);
  return Math.ceil((quads * 4) / CHUNK);
}

/** Scale and shift are computed once a chunk, by the threads of its quads, and applied as quads are loaded. */
function prologueHooks({ affine, silu }: Prologue): Fragment {
  const prepare = [
    'let quad = chunk * 4u + lane;',
    'if (lane < 4u && quad < sizes.quads0 + sizes.quads1) {',
    '  let a = affine_of(sample, quad);',
    '  affine[lane] = a.scale;',
    '  affine[lane + 4u] = a.shift;',
    '}',
  ];
  const lines = [
    ...(affine ? ['v = v * affine[slot] + affine[slot + 4u]; // norm and film'] : []),
    ...(silu ? ['v = v / (1.0 + exp(-v)); // silu'] : []),
  ];
  const hooks = {
    ...(affine ? { prepare_chunk: prepare } : {}),
    ...(lines.length > 0 ? { prologue: ['var v = loaded;', ...lines, 'return v;'] } : {}),
  };
  return { hooks, functions: [], extra: [], sizes: {} };
}

/** A transposed convolution reads input i where o = i * stride + tap - pad. */
const TRANSPOSED: Fragment = {
  hooks: {
    locate: [
      'let at = i32(position + pad) - i32(tap);',
      'return select(-1, at / i32(stride), at >= 0 && at < i32(extent * stride) && at % i32(stride) == 0);',
    ],
  },
  functions: [],
  extra: [],
  sizes: {},
};

/** Mean, then squared deviations from it, over the tile's pixels: each row of threads sums its own, then all rows'. */
function writeStatistics(group: ScheduledGroup): Fragment {
  const sumRows = (name: string) => [
    'workgroupBarrier();',
    `tile_a[row * 8u + column] = ${name};`,
    'for (var half = 4u; half >= 1u; half /= 2u) {',
    '  workgroupBarrier();',
    '  if (row < half) { tile_a[row * 8u + column] += tile_a[(row + half) * 8u + column]; }',
    '}',
    'workgroupBarrier();',
    `${name} = tile_a[column];`,
  ];
  return {
    hooks: {
      finish_tile: [
        'let pixels = min(TILE_M, sizes.pixels - tile * TILE_M);',
        'var mean = vec4f();',
        'for (var i = 0u; i < PIXELS; i++) { mean += select(vec4f(), values[i], i * 8u + row < pixels); }',
        ...sumRows('mean'),
        'mean /= f32(pixels);',
        'var m2 = vec4f();',
        'for (var i = 0u; i < PIXELS; i++) {',
        '  let deviation = values[i] - mean;',
        '  m2 += select(vec4f(), deviation * deviation, i * 8u + row < pixels);',
        '}',
        ...sumRows('m2'),
        'if (row == 0u && quad < sizes.out_quads) {',
        '  let at = ((sample * ((sizes.pixels + TILE_M - 1u) / TILE_M) + tile) * sizes.out_quads + quad) * 2u;',
        '  statistics[at] = mean;',
        '  statistics[at + 1u] = m2;',
        '}',
      ],
    },
    functions: [],
    extra: [
      {
        name: 'statistics',
        type: 'array<vec4f>',
        access: 'read_write',
        resource: { kind: 'statistics', value: group.result, merged: false },
      },
    ],
    sizes: {},
  };
}
