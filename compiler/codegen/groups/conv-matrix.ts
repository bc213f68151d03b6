// A convolution group becomes a call of conv_matrix: float16 on matrix units. What is not float16 stays with conv_gemm.

import { invariant } from '../../diagnostics.ts';
import { matrixTile } from '../../schedule/choices/matrix-tiles.ts';
import { hasMask } from '../../schedule/prologue.ts';
import type { Schedule, ScheduledConv } from '../../schedule/schedule.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, joinFragments, value } from '../fragment.ts';
import { type Prologue, prologueLines, prologueOf, writeStatistics } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { conv } from './conv.ts';
import { convGeometry } from './conv-geometry.ts';
import { packConv } from './conv-weights.ts';

/** Input channels of a step: two matrices. */
const CHUNK = 32;

export function convMatrix(schedule: Schedule, group: ScheduledConv): KernelCall {
  const { graph } = schedule;
  if (graph.nodes[group.result]!.type.dtype !== 'f16') return conv(schedule, group);
  // a thread loads all its quads before it normalises one
  invariant(!hasMask(graph, group.prologue), `conv_matrix masks nothing as it loads (%${group.anchor})`);
  const geometry = convGeometry(graph, group, true);
  const { out, taps, fragment } = geometry;
  const tile = matrixTile(graph, group);
  const weights = createWeightsBuilder(graph);
  const columns = { m: tile.width * tile.height, n: tile.channels };
  const place = { tile: columns, chunk: CHUNK, stored: 'f16' } as const;
  const { chunks, skipChunks, biasAt } = packConv(graph, group, geometry, place, weights);
  const prologue = prologueOf(graph, group, weights, 128);
  const fused = joinFragments(
    fragment,
    prologue,
    prologueHooks(prologue),
    epilogueOf(graph, group.epilogue),
    writeStatistics(group, 'conv_matrix_statistics'),
  );
  const tilesX = Math.ceil(tile.grid.width / tile.width);
  const tiles = tilesX * Math.ceil(tile.grid.height / tile.height);
  return callKernel({
    file: 'conv_matrix',
    consts: {
      TILE_N: tile.channels,
      BLOCKS: (tile.blocks * tile.channels) / 128,
      TAPS: tile.shared ? taps : 1,
      PATCH: tile.room,
      DEPTH: 128 / tile.channels,
    },
    ...fused,
    declared: { weights: { kind: 'weights' }, result: value(group.result) },
    weights: weights.finish(),
    workgroups: [tiles, Math.ceil(out.channels / tile.channels), out.batch],
    sizes: {
      ...fused.sizes,
      grid_w: tile.grid.width,
      grid_h: tile.grid.height,
      tile_w: tile.width,
      tile_h: tile.height,
      tiles_x: tilesX,
      tiles,
      pitch: tile.pitch,
      run: tile.run,
      patch_h: tile.shared ? tile.height + fused.sizes.kernel_h! - 1 : 1,
      patch_rows: tile.rows,
      chunks,
      skip_chunks: skipChunks,
      bias_at: biasAt / 4,
    },
  });
}

/** A thread loads one quad of a chunk for all its pixels: scale and shift are its own. */
function prologueHooks({ affine, tail }: Prologue): Fragment {
  const scaled = affine ? (['affine.scale', 'affine.shift'] as const) : null;
  const halves = { loaded: 'unpack_quad(loaded)', result: 'vec4h(v)' };
  const prologue = prologueLines(scaled, tail, halves);
  const hooks = {
    ...(affine ? { prepare_quad: ['affine = affine_of(sample, quad);'] } : {}),
    ...(prologue.length > 0 ? { prologue } : {}),
  };
  return { ...joinFragments(), hooks, functions: affine ? ['var<private> affine: Affine;'] : [] };
}
