// A convolution group becomes a call of conv_gemm: tile, packed weights, and hooks for what is fused; or such calls and sums of
// their slices, or the calls of Winograd's algorithm.

import { GEMM_CHUNK, gemmDimension, slicesOf, stagedSteps } from '../../schedule/choices/slices.ts';
import type { Schedule, ScheduledConv } from '../../schedule/schedule.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, fragmentOf, joinFragments, value } from '../fragment.ts';
import { type Prologue, prologueLines, prologueOf, writeStatistics } from '../fused-ops.ts';
import { storedHalves } from '../half.ts';
import { type CallRequest, callKernel, type KernelCall } from '../kernel-call.ts';
import { READ_WEIGHTS } from '../stored-weights.ts';
import { createWeightsBuilder, storedType } from '../weights.ts';
import { convGeometry } from './conv-geometry.ts';
import { packConv } from './conv-weights.ts';
import { convWinogradWorkgroup } from './conv-winograd-workgroup.ts';
import { callsInSlices } from './slices.ts';

type Calls = KernelCall | readonly KernelCall[];

export function conv(schedule: Schedule, group: ScheduledConv): Calls {
  if (group.winograd !== null) return convWinogradWorkgroup(schedule.graph, group);
  return callConv(schedule, group, { aliases: {}, parts: [] });
}

/** The same in float16, summed in float32 behind every eighth product; what is not float16 is computed in float32. */
export function convHalf(schedule: Schedule, group: ScheduledConv): Calls {
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
): Calls {
  const geometry = convGeometry(graph, group);
  const { node, out, fragment } = geometry;
  const tile = group.tile;
  const stored = storedType(graph, node.inputs[1]!);
  const weights = createWeightsBuilder(graph);
  const place = { tile, chunk: GEMM_CHUNK, stored };
  const { chunks, skipChunks, biasAt } = packConv(graph, group, geometry, place, weights);
  const prologue = prologueOf(graph, group, weights);
  const blob = weights.finish();
  const depth = stagedSteps(tile);
  const call = (request: Pick<CallRequest, 'declared' | 'workgroups'>, ending: Fragment) => {
    const own = [fragment, prologue, prologueHooks(prologue), READ_WEIGHTS[stored], ...parts];
    const fused = joinFragments(...own, ending);
    return callKernel({
      file: 'conv_gemm',
      consts: { TILE_M: tile.m, TILE_N: tile.n, COLUMNS: Math.min(8, tile.n / 4), DEPTH: depth },
      aliases,
      ...fused,
      ...request,
      weights: blob,
      sizes: {
        ...fused.sizes,
        ...{ chunk_quads: GEMM_CHUNK / 4, chunks, skip_chunks: skipChunks, bias_at: biasAt / 4 },
      },
    });
  };
  const [tiles, columnTiles] = [Math.ceil(out.pixels / tile.m), Math.ceil(out.channels / tile.n)];
  if (group.slices > 1) {
    const { stages } = slicesOf(gemmDimension(graph, group, tile), group.slices);
    const sliced = { fragment: 'conv_gemm_slice', sizes: { slice_steps: stages * depth } } as const;
    const place = { blob, biasAt: biasAt / 4, stored };
    return callsInSlices(graph, group, { ...sliced, tiles, columnTiles, call }, place);
  }
  const ending = joinFragments(
    epilogueOf(graph, group.epilogue),
    writeStatistics(group, 'conv_gemm_statistics'),
    storedHalves(graph, { result: group.result }),
  );
  const declared = { weights: { kind: 'weights' }, result: value(group.result) } as const;
  return call({ declared, workgroups: [tiles, columnTiles, out.batch] }, ending);
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
