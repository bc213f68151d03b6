// A convolution group becomes a call of conv_matrix: float16 on matrix units. What is not float16 stays with conv_gemm.

import { matrixTile } from '../../schedule/matrix-tiles.ts';
import type { Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import { epilogueOf } from '../epilogue.ts';
import {
  type Fragment,
  joinFragments,
  type Prologue,
  prologueLines,
  prologueOf,
  statisticsBuffer,
  value,
} from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { conv } from './conv.ts';
import { convGeometry } from './conv-geometry.ts';
import { packConv } from './conv-weights.ts';

/** Input channels of a step: two matrices. */
const CHUNK = 32;

export function convMatrix(schedule: Schedule, group: ScheduledGroup): KernelCall {
  const { graph } = schedule;
  if (graph.nodes[group.result]!.type.dtype !== 'f16') return conv(schedule, group);
  const geometry = convGeometry(graph, group, true);
  const { out, taps, fragment } = geometry;
  const tile = matrixTile(graph, group);
  const weights = createWeightsBuilder(graph);
  const columns = { m: tile.width * tile.height, n: tile.channels };
  const place = { tile: columns, chunk: CHUNK, half: true };
  const { chunks, skipChunks, biasAt } = packConv(graph, group, geometry, place, weights);
  const prologue = prologueOf(graph, group, weights, 128);
  const fused = joinFragments(
    fragment,
    prologue,
    prologueHooks(prologue),
    epilogueOf(graph, group.epilogue),
    group.writes ? writeStatistics(group) : joinFragments(),
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
function prologueHooks({ affine, activation }: Prologue): Fragment {
  const scaled = affine ? (['affine.scale', 'affine.shift'] as const) : null;
  const halves = { loaded: 'unpack_quad(loaded)', result: 'vec4h(v)' };
  const prologue = prologueLines(scaled, activation, halves);
  const hooks = {
    ...(affine ? { prepare_quad: ['affine = affine_of(sample, quad);'] } : {}),
    ...(prologue.length > 0 ? { prologue } : {}),
  };
  return { ...joinFragments(), hooks, functions: affine ? ['var<private> affine: Affine;'] : [] };
}

/**
 * Mean and M2 of a thread's pixels, one after the other (Welford 1962); then the first thread of a quad merges those of
 * all threads that had it.
 */
function writeStatistics(group: ScheduledGroup): Fragment {
  return {
    hooks: {
      collect: [
        'pixels_seen += 1.0;',
        'let deviation = value - mean;',
        'mean += deviation / pixels_seen;',
        'm2 += deviation * (value - mean);',
      ],
      finish_columns: [
        'workgroupBarrier();',
        'for (var c = 0u; c < 4u; c++) {',
        '  scratch[lane * 9u + c] = mean[c];',
        '  scratch[lane * 9u + 4u + c] = m2[c];',
        '}',
        'scratch[lane * 9u + 8u] = pixels_seen;',
        'mean = vec4f();',
        'm2 = vec4f();',
        'pixels_seen = 0.0;',
        'workgroupBarrier();',
        'if (lane / 32u < ACROSS && lane % 32u < 4u && quad < sizes.out_quads) {',
        '  var pixels = 0.0;',
        '  var all_mean = vec4f();',
        '  var all_m2 = vec4f();',
        '  for (var t = 0u; t < 8u * DOWN; t++) {',
        '    let one = ((t / 8u * ACROSS + lane / 32u) * 32u + t % 8u * 4u + lane % 4u) * 9u;',
        '    let more = scratch[one + 8u];',
        '    if (more > 0.0) {',
        '      let deviation = vec4f(scratch[one], scratch[one + 1u], scratch[one + 2u], scratch[one + 3u]) - all_mean;',
        '      let squares = vec4f(scratch[one + 4u], scratch[one + 5u], scratch[one + 6u], scratch[one + 7u]);',
        '      all_m2 += squares + deviation * deviation * (pixels * more / (pixels + more));',
        '      all_mean += deviation * (more / (pixels + more));',
        '      pixels += more;',
        '    }',
        '  }',
        '  let at = ((sample * sizes.tiles + tile) * sizes.out_quads + quad) * 2u;',
        '  statistics[at] = all_mean;',
        '  statistics[at + 1u] = all_m2;',
        '}',
      ],
    },
    functions: ['var<private> pixels_seen: f32;', 'var<private> mean: vec4f;', 'var<private> m2: vec4f;', ''],
    extra: [statisticsBuffer(group, 'array<vec4f>')],
    sizes: {},
  };
}
