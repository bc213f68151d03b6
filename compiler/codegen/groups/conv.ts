// A convolution group becomes a call of conv_gemm: tile, packed weights, and hooks for what is fused.

import type { Schedule, ScheduledConv } from '../../schedule/schedule.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, fragmentOf, joinFragments, value } from '../fragment.ts';
import { type Prologue, prologueLines, prologueOf, writeStatistics } from '../fused-ops.ts';
import { storedHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { READ_WEIGHTS } from '../stored-weights.ts';
import { createWeightsBuilder, storedType } from '../weights.ts';
import { convGeometry } from './conv-geometry.ts';
import { packConv } from './conv-weights.ts';

/** Input channels of a step of the product. */
const CHUNK = 16;

/** Steps that a tile stages between two barriers: as many as fit 16 KiB of workgroup memory beside all else. */
const DEPTHS: Readonly<Record<string, number>> = {
  ...{ '64x64': 1, '32x64': 2, '32x32': 3, '16x32': 4 },
  ...{ '64x8': 2, '32x8': 4 },
};

export function conv(schedule: Schedule, group: ScheduledConv): KernelCall {
  return callConv(schedule, group, { aliases: {}, parts: [] });
}

/** The same in float16, summed in float32 behind every eighth product; what is not float16 is computed in float32. */
export function convHalf(schedule: Schedule, group: ScheduledConv): KernelCall {
  if (schedule.graph.nodes[group.result]!.type.dtype !== 'f16') return conv(schedule, group);
  return callConv(schedule, group, { aliases: { Staged: 'vec4h' }, parts: [fragmentOf('conv_gemm_half')] });
}

function callConv(
  { graph }: Schedule,
  group: ScheduledConv,
  {
    aliases,
    parts,
  }: { readonly aliases: Readonly<Record<string, string>>; readonly parts: readonly Fragment[] },
): KernelCall {
  const geometry = convGeometry(graph, group);
  const { node, out, fragment } = geometry;
  const tile = group.tile;
  const stored = storedType(graph, node.inputs[1]!);
  const weights = createWeightsBuilder(graph);
  const place = { tile, chunk: CHUNK, stored };
  const { chunks, skipChunks, biasAt } = packConv(graph, group, geometry, place, weights);
  const prologue = prologueOf(graph, group, weights);
  const fused = joinFragments(
    fragment,
    prologue,
    prologueHooks(prologue),
    epilogueOf(graph, group.epilogue),
    writeStatistics(group, 'conv_gemm_statistics'),
    storedHalves(graph, { result: group.result }),
    READ_WEIGHTS[stored],
    ...parts,
  );
  return callKernel({
    file: 'conv_gemm',
    consts: {
      ...{ TILE_M: tile.m, TILE_N: tile.n, COLUMNS: Math.min(8, tile.n / 4) },
      DEPTH: DEPTHS[`${tile.m}x${tile.n}`]!,
    },
    aliases,
    ...fused,
    declared: { weights: { kind: 'weights' }, result: value(group.result) },
    weights: weights.finish(),
    workgroups: [Math.ceil(out.pixels / tile.m), Math.ceil(out.channels / tile.n), out.batch],
    sizes: { ...fused.sizes, chunk_quads: CHUNK / 4, chunks, skip_chunks: skipChunks, bias_at: biasAt / 4 },
  });
}

/** Scale and shift are computed once a chunk, by the threads of its quads, and applied as quads are loaded. */
function prologueHooks({ affine, tail }: Prologue): Fragment {
  const prepare = [
    'let quad = chunk * 4u + lane;',
    'if (lane < 4u && quad < sizes.quads0 + sizes.quads1) {',
    '  let a = affine_of(sample, quad);',
    '  affine[at + lane] = a.scale;',
    '  affine[at + lane + 4u] = a.shift;',
    '}',
  ];
  const prologue = prologueLines(affine ? ['affine[slot]', 'affine[slot + 4u]'] : null, tail);
  const hooks = {
    ...(affine ? { prepare_chunk: prepare } : {}),
    ...(prologue.length > 0 ? { prologue } : {}),
  };
  return { hooks, functions: [], extra: [], sizes: {} };
}
