// How many workgroups share the inner dimension of a convolution (split K). A small image has few tiles, and each of them steps
// through all taps and channels, a wait for memory a round, while most of a GPU is idle: slices of the inner dimension are
// summed by workgroups of their own, and a dispatch behind them adds the slices up in their order. Chosen by a model of the
// target's GPUs, from the sizes of one sample.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { sizeOf } from '../../ops/op.ts';
import type { Pace } from '../../target.ts';
import type { ConvGroup, ScheduledConv, Tile } from '../schedule.ts';
import { extentOf, quadsOf } from '../values.ts';

/** What a workgroup goes through for a tile, as its kernel does. */
export interface InnerDimension {
  /** What a slice has a whole number of, and the rounds of each: loads from memory and a barrier. */
  readonly stages: number;
  readonly rounds: number;
  /** Rounds behind them, of a skip convolution, that no slice has together with others; 0 where all rounds are stages. */
  readonly skip: number;
}

/** An inner dimension in slices. */
export interface Slices {
  readonly count: number;
  /** Slices of stages, stages of each, and rounds of a skip convolution in each of the others. */
  readonly main: number;
  readonly stages: number;
  readonly skip: number;
}

/** Steps that a tile of conv_gemm stages between two barriers: as many as fit 16 KiB of workgroup memory beside all else. */
const DEPTHS: Readonly<Record<string, number>> = {
  ...{ '64x64': 1, '32x64': 2, '32x32': 3, '16x32': 4 },
  ...{ '64x8': 2, '32x8': 4 },
};

/** Input channels of a step of conv_gemm, and of conv_matrix. */
export const GEMM_CHUNK = 16;
export const MATRIX_CHUNK = 32;

/** Taps of a round of conv_matrix where few workgroups run. */
const MATRIX_TAPS = 4;

/** What a round of a kernel takes that waits for what it loads, beside one that loads a round ahead. */
const WAITING = 1.8;

/** Slices that are added up at the most, and as many as a thread loads together. */
const MOST_SLICES = 16;
const TOGETHER = 4;

/** Workgroups for each that a GPU has room for at the least: one computes while another one waits. */
const RESIDENT = 2;

/** Bytes of the slices of the samples that are computed at once, at the most: a larger batch is computed in parts. */
export const MOST_BYTES = 32 * 2 ** 20;

/** Samples by which the traffic of slices is weighed: a choice for one sample should not be a bad one for a few. */
const SAMPLES = 4;

/** What of its time a convolution has to gain: less is within what the model errs by. */
const GAIN = 0.1;

export function stagedSteps({ m, n }: Tile): number {
  return DEPTHS[`${m}x${n}`]!;
}

/** The inner dimension as conv_gemm goes through it: a round is the steps that are staged at once. */
export function gemmDimension(graph: OpGraph, group: ConvGroup, tile: Tile): InnerDimension {
  const { chunks, skip, taps } = chunksOf(graph, group, GEMM_CHUNK);
  return { stages: Math.ceil((chunks * taps + skip) / stagedSteps(tile)), rounds: 1, skip: 0 };
}

/** The same of conv_matrix: a stage is a patch with the taps that it serves, all or one. */
export function matrixDimension(graph: OpGraph, group: ConvGroup, shared: boolean): InnerDimension {
  const { chunks, skip, taps } = chunksOf(graph, group, MATRIX_CHUNK);
  return shared
    ? { stages: chunks, rounds: Math.ceil(taps / MATRIX_TAPS), skip }
    : { stages: chunks * taps, rounds: 1, skip };
}

function chunksOf(graph: OpGraph, { anchor, sources, skip }: ConvGroup, chunk: number) {
  const [, , ...kernel] = graph.nodes[graph.nodes[anchor]!.inputs[1]!]!.type.shape;
  const chunks = (values: readonly number[]) => Math.ceil((quadsOf(graph, values) * 4) / chunk);
  return { chunks: chunks(sources), skip: skip === null ? 0 : chunks(skip.sources), taps: sizeOf(kernel) };
}

/** How many slices a convolution is computed in, of which a sample has so many tiles; 1 where slices gain nothing. */
export function sliceCount(
  graph: OpGraph,
  group: ConvGroup,
  inner: InnerDimension,
  { tiles, waits, pace }: { readonly tiles: number; readonly waits: boolean; readonly pace: Pace | null },
): number {
  if (pace === null) return 1;
  const round = pace.step_us * (waits ? WAITING : 1);
  const whole = inner.stages * inner.rounds + inner.skip;
  const bytes = sliceBytes(graph, group);
  const most = Math.min(
    MOST_SLICES,
    Math.floor((RESIDENT * pace.workgroups) / tiles),
    Math.floor(MOST_BYTES / bytes),
  );
  let best = { count: 1, us: whole * round * (1 - GAIN) };
  for (let rounds = whole - 1; rounds > 0; rounds--) {
    const { count, stages, main, skip } = withRounds(inner, rounds);
    if (count > most) break;
    const longest = Math.max(stages * inner.rounds, count > main ? skip : 0);
    const sum = pace.dispatch_us + Math.ceil(count / TOGETHER) * pace.step_us * WAITING;
    const traffic = (SAMPLES * 2 * count * bytes) / (pace.gb_per_s * 1000);
    const us = longest * round + sum + traffic;
    if (us < best.us) best = { count, us };
  }
  return best.count;
}

/** The inner dimension in no more than so many slices, the longest of which has the fewest rounds. */
export function slicesOf(inner: InnerDimension, count: number): Slices {
  for (let rounds = 1; ; rounds++) {
    const slices = withRounds(inner, rounds);
    if (slices.count <= count) return slices;
  }
}

/** Slices of no more than so many rounds, or of one stage. */
function withRounds(inner: InnerDimension, rounds: number): Slices {
  const stages = Math.max(1, Math.floor(rounds / inner.rounds));
  const main = Math.ceil(inner.stages / stages);
  return { count: main + Math.ceil(inner.skip / rounds), main, stages, skip: rounds };
}

/** Bytes of one slice of a sample's result: float32, whatever the result is stored in. */
export function sliceBytes(graph: OpGraph, { result }: Pick<ScheduledConv, 'result'>): number {
  const { pixels, quads } = extentOf(graph, result);
  return pixels * quads * 16;
}

/** Samples whose slices are computed at once. */
export function samplesOfSlices(graph: OpGraph, group: Pick<ScheduledConv, 'result' | 'slices'>): number {
  const bytes = group.slices * sliceBytes(graph, group);
  return Math.min(extentOf(graph, group.result).batch, Math.max(1, Math.floor(MOST_BYTES / bytes)));
}

/** Pixels of a tile of the dispatch that adds slices up, which are those of its statistics. */
export function pixelsOfSum(graph: OpGraph, { result }: Pick<ScheduledConv, 'result'>): 16 | 64 {
  return extentOf(graph, result).pixels <= 16 ? 16 : 64;
}
