// A convolution group becomes a call of conv_matrix, or such calls and sums of their slices: float16 on matrix units. What is
// not float16 stays with conv_gemm.

import { invariant } from '../../diagnostics.ts';
import { unitsOf } from '../../schedule/backends/matrix.ts';
import { type MatrixTile, matrixTile } from '../../schedule/choices/matrix-tiles.ts';
import { MATRIX_CHUNK, matrixDimension, slicesOf } from '../../schedule/choices/slices.ts';
import { hasMask } from '../../schedule/prologue.ts';
import type { Schedule, ScheduledConv } from '../../schedule/schedule.ts';
import type { MatrixUnits, Target, TargetLimits } from '../../target.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, joinFragments, value } from '../fragment.ts';
import { type Prologue, prologueLines, prologueOf, writeStatistics } from '../fused-ops.ts';
import { type CallRequest, callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { conv } from './conv.ts';
import { convGeometry } from './conv-geometry.ts';
import { packConv } from './conv-weights.ts';
import { callsInSlices } from './slices.ts';

/** What matrices load from is in vectors of so many bytes; a workgroup has results and a norm's groups beside it. */
const VECTOR_BYTES = 16;
const SCRATCH_BYTES = 1280 * 4 + 32 * 8;

export function convMatrix(
  schedule: Schedule,
  group: ScheduledConv,
  target: Target,
): KernelCall | readonly KernelCall[] {
  const { graph } = schedule;
  if (graph.nodes[group.result]!.type.dtype !== 'f16') return conv(schedule, group);
  // a thread loads all its quads before it normalises one
  invariant(!hasMask(graph, group.prologue), `conv_matrix masks nothing as it loads (%${group.anchor})`);
  const geometry = convGeometry(graph, group, true);
  const { out, taps, fragment } = geometry;
  const units = unitsOf(target);
  const tile = matrixTile(graph, group, units);
  const weights = createWeightsBuilder(graph);
  const columns = { m: tile.width * tile.height, n: tile.channels };
  const place = { tile: columns, chunk: MATRIX_CHUNK, stored: 'f16' } as const;
  const { chunks, skipChunks, biasAt } = packConv(graph, group, geometry, place, weights);
  const prologue = prologueOf(graph, group, weights, 4 * units.lanes);
  const blob = weights.finish();
  const tilesX = Math.ceil(tile.grid.width / tile.width);
  const tiles = tilesX * Math.ceil(tile.grid.height / tile.height);
  const columnTiles = Math.ceil(out.channels / tile.channels);
  const call = (request: Pick<CallRequest, 'declared' | 'workgroups'>, ending: Fragment) => {
    const hooks = prologueHooks(prologue, units.component);
    const fused = joinFragments(fragment, prologue, STAGED[units.component], hooks, ending);
    return callKernel({
      file: 'conv_matrix',
      consts: constantsOf(tile, tile.shared ? taps : 1, units, target.limits),
      aliases: units.component === 'f16' ? {} : { Component: 'f32', Quad: 'vec4f' },
      lanes: units.pinned ? units.lanes : null,
      ...fused,
      ...request,
      weights: blob,
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
  };
  if (group.slices > 1) {
    const { main, stages, skip } = slicesOf(matrixDimension(graph, group, tile.shared), group.slices);
    const sizes = { main_slices: main, main_stages: stages, skip_stages: skip };
    const product = { fragment: 'conv_matrix_slice', sizes, tiles, columnTiles, call } as const;
    return callsInSlices(graph, group, product, { blob, biasAt: biasAt / 4, stored: 'f16' });
  }
  const epilogue = epilogueOf(graph, group.epilogue);
  const ending = joinFragments(epilogue, writeStatistics(group, 'conv_matrix_statistics'));
  const declared = { weights: { kind: 'weights' }, result: value(group.result) } as const;
  return call({ declared, workgroups: [tiles, columnTiles, out.batch] }, ending);
}

/** The kernel's constants; as many taps a round as there is workgroup memory for, which changes no bit. */
function constantsOf(
  { channels, blocks, room }: MatrixTile,
  taps: number,
  { M, N, K, lanes, component }: MatrixUnits,
  { maxComputeWorkgroupStorageSize: most }: TargetLimits,
) {
  const vectors = component === 'f16' ? 1 : 2;
  // threads stage whole rows of the patch together
  const spread = lanes / vectors;
  const patch = Math.ceil(room / spread) * spread;
  // the widest tiles are two subgroups across, each as wide as it is high: fewest operands for a product
  const wide = channels === 128 && blocks === 8 ? 4 : 2;
  const down = (4 * 16 * wide) / channels;
  const other = patch * (4 * vectors + 1) * VECTOR_BYTES + SCRATCH_BYTES + 4 * lanes * 4;
  const tapBytes = 2 * MATRIX_CHUNK * ((channels / 8) * vectors + 1) * VECTOR_BYTES;
  const depth = Math.min(128 / channels, Math.floor((most - other) / tapBytes));
  return {
    ...{ MATRIX_M: M, MATRIX_N: N, MATRIX_K: K, LANES: lanes, VECTORS: vectors },
    ...{ TILE_N: channels, WIDE: wide, BLOCKS: blocks / down, TAPS: taps, PATCH: patch, DEPTH: depth },
  };
}

/** How what is stored in float16 is staged for matrices: as it is, or in float32. */
const STAGED: Readonly<Record<MatrixUnits['component'], Fragment>> = {
  f16: joinFragments(),
  f32: {
    ...joinFragments(),
    hooks: {
      prologue: ['return unpack_quad(loaded);'],
      staged_vector: ['return bitcast<vec4u>(prologue(held.xy, 0u));'],
      plain_vector: ['return bitcast<vec4u>(unpack_quad(held.xy));'],
      stage_weights: [
        'columns[at] = bitcast<vec4u>(unpack_quad(octet.xy));',
        'columns[at + 1u] = bitcast<vec4u>(unpack_quad(octet.zw));',
      ],
    },
  },
};

/** A thread loads the quads of a vector for all its pixels: scale and shift of these are its own. */
function prologueHooks({ affine, tail }: Prologue, component: MatrixUnits['component']): Fragment {
  const scaled = affine ? (['affine[part].scale', 'affine[part].shift'] as const) : null;
  const taken = { loaded: 'unpack_quad(loaded)', result: component === 'f16' ? 'vec4h(v)' : 'v' };
  const prologue = prologueLines(scaled, tail, taken);
  const hooks = {
    ...(affine ? { prepare_quad: ['affine[part] = affine_of(sample, quad);'] } : {}),
    ...(prologue.length > 0 ? { prologue } : {}),
  };
  return { ...joinFragments(), hooks, functions: affine ? ['var<private> affine: array<Affine, 2>;'] : [] };
}
