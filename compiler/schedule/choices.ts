// How each convolution is computed: the candidates that are legal for the target, what each is expected to take, and the
// choice. It depends on the sizes of one sample and never on the batch, so that a sample is computed by the same sums at
// every batch size.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { sizeOf } from '../ops/op.ts';
import type { Target } from '../target.ts';
import { convMicroseconds } from './cost-model.ts';
import { type MatrixTile, matrixTile } from './matrix-tiles.ts';
import type { Candidate, Choice, ConvGroup, Tile, WinogradTile } from './schedule.ts';
import { keyOf, type Tuning } from './tuning.ts';
import { extentOf, quadsOf } from './values.ts';
import { canUseWinograd, planesOf } from './winograd.ts';

/** A candidate with what it takes, by the cost model or as it was measured. */
export interface RatedCandidate extends Candidate {
  readonly microseconds: number;
}

/** A candidate as the choice sees it: microseconds, with what the bytes of its weights are worth. */
export interface PricedCandidate extends RatedCandidate {
  readonly cost: number;
}

/** Workgroups a product should have at least, so that a GPU of many units is not left idle. */
const ENOUGH_WORKGROUPS = 32;

/** Tiles of the workgroup kernel, largest first. */
const WORKGROUP_TILES: readonly Tile[] = [
  { m: 64, n: 64 },
  { m: 32, n: 64 },
  { m: 32, n: 32 },
  { m: 16, n: 32 },
];

/** Tiles of the subgroup kernel: a lane has the sums of four channels of each 32, of 8, 16 or 32 pixels. */
const SUBGROUP_TILES: readonly Tile[] = [
  { m: 16, n: 64 },
  { m: 32, n: 32 },
  { m: 16, n: 32 },
  { m: 8, n: 32 },
];

export interface ChoiceOptions {
  /** Leaves out every algorithm that is less exact than the plain one. Default false. */
  readonly strict?: boolean;
  /** What was measured on the adapter; the fastest candidate of a group that is in it is taken. */
  readonly tuning?: Tuning | undefined;
  /** Microseconds that a byte of packed weights is worth: with a price, the choice saves memory. Default 0. */
  readonly price?: number;
}

/** The choice for a convolution group. */
export type Choose = (group: ConvGroup) => Choice;

/** The choice among candidates with those of Winograd's tiles that are given. */
export function chooseConv(
  graph: OpGraph,
  group: ConvGroup,
  target: Target,
  prices: Prices,
  tiles: readonly WinogradTile[],
): Choice {
  const priced = prices(group);
  if (priced !== null) {
    const { candidates, measured } = priced;
    return choiceOf(candidates.find((one) => mayChoose(one, tiles))!, candidates, measured);
  }
  const candidates = candidatesOf(graph, group, target, {});
  const tile = candidates.length === 1 ? candidates[0]!.tile : workgroupTile(graph, group);
  return { winograd: null, tile, reason: null };
}

/** What a choice is made from, the cheapest first, and whether the times were measured. */
export interface Priced {
  readonly candidates: readonly PricedCandidate[];
  readonly measured: boolean;
}

/** The candidates of a convolution with their costs; null where neither a tuning nor the cost model knows them. */
export type Prices = (group: ConvGroup) => Priced | null;

/** The prices of a graph's convolutions, each kind of convolution priced once. */
export function createPrices(graph: OpGraph, target: Target, options: ChoiceOptions): Prices {
  const known = new Map<string, Priced | null>();
  return (group) => {
    // a fused upsampling leaves fewer candidates
    const key = `${keyOf(graph, group)}${group.upsample === null ? '' : ' upsample'}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const priced = priceConv(graph, group, target, options);
    known.set(key, priced);
    return priced;
  };
}

function priceConv(graph: OpGraph, group: ConvGroup, target: Target, options: ChoiceOptions): Priced | null {
  const candidates = candidatesOf(graph, group, target, options);
  const times = options.tuning?.[keyOf(graph, group)] ?? {};
  const known = candidates.flatMap((candidate) => {
    const microseconds = times[nameOf(candidate)];
    return microseconds === undefined ? [] : [{ ...candidate, microseconds }];
  });
  const { price = 0 } = options;
  const worth = (one: Candidate) => (price > 0 ? price * weightBytes(graph, group, one) : 0);
  const byCost = (rated: readonly RatedCandidate[]) =>
    rated.map((one) => ({ ...one, cost: one.microseconds + worth(one) })).sort((a, b) => a.cost - b.cost);
  if (known.length > 0) {
    const others =
      price > 0 && target.products === 'subgroup' ? unmeasured(graph, group, candidates, known) : [];
    return { candidates: byCost([...known, ...others]), measured: true };
  }
  if (target.products !== 'subgroup') return null;
  return { candidates: byCost(rateConv(graph, group, candidates)), measured: false };
}

/** Whether a candidate does with these tiles of Winograd's algorithm. */
export function mayChoose({ winograd }: Candidate, tiles: readonly WinogradTile[]): boolean {
  return winograd === null || tiles.includes(winograd);
}

/** One of priced candidates as the choice, with what it was chosen from. */
export function choiceOf(
  chosen: PricedCandidate,
  candidates: readonly PricedCandidate[],
  measured: boolean,
): Choice {
  const { winograd, tile } = chosen;
  const others = candidates.filter((one) => nameOf(one) !== nameOf(chosen));
  return { winograd, tile, reason: (measured ? 'measured ' : '') + reasonOf([chosen, ...others]) };
}

/** Every legal way to compute a convolution on a target. */
export function candidatesOf(
  graph: OpGraph,
  group: ConvGroup,
  { products }: Target,
  { strict = false }: ChoiceOptions,
): readonly Candidate[] {
  if (products === 'matrix' && graph.nodes[group.result]!.type.dtype === 'f16')
    return [{ winograd: null, tile: pixelsByChannels(matrixTile(graph, group)) }];
  if (products !== 'subgroup') return WORKGROUP_TILES.map((tile) => ({ winograd: null, tile }));
  const algorithms: readonly (WinogradTile | null)[] = strict ? [null] : [null, 2, 4];
  return algorithms
    .filter((m) => m === null || canUseWinograd(graph, group, m))
    .flatMap((winograd) => SUBGROUP_TILES.map((tile) => ({ winograd, tile })));
}

/** Candidates of a processor with what the cost model expects of them. */
export function rateConv(
  graph: OpGraph,
  group: ConvGroup,
  candidates: readonly Candidate[],
): readonly RatedCandidate[] {
  return candidates.map((one) => ({ ...one, microseconds: convMicroseconds(graph, group, one) }));
}

/** What a candidate is called in reasons and in tunings, such as `winograd4 16x64`. */
export function nameOf({ winograd, tile }: Candidate): string {
  return `${winograd ? `winograd${winograd}` : 'direct'} ${tile.m}x${tile.n}`;
}

/** What a tuning left out because it was too slow to be measured: slower than all that was, by the model or at the least. */
function unmeasured(
  graph: OpGraph,
  group: ConvGroup,
  candidates: readonly Candidate[],
  measured: readonly RatedCandidate[],
): readonly RatedCandidate[] {
  const slowest = Math.max(...measured.map(({ microseconds }) => microseconds));
  const known = new Set(measured.map(nameOf));
  return rateConv(
    graph,
    group,
    candidates.filter((one) => !known.has(nameOf(one))),
  ).map((one) => ({ ...one, microseconds: Math.max(one.microseconds, slowest) }));
}

/** Bytes of the weights as a candidate packs them: Winograd's planes are more than the taps that they come of. */
function weightBytes(graph: OpGraph, group: ConvGroup, { winograd, tile }: Candidate): number {
  const [, , ...kernel] = graph.nodes[graph.nodes[group.anchor]!.inputs[1]!]!.type.shape;
  const inputs = quadsOf(graph, group.sources) * 4;
  const outputs = Math.ceil(extentOf(graph, group.result).channels / tile.n) * tile.n;
  return (winograd ? planesOf(winograd) : sizeOf(kernel)) * inputs * outputs * 4;
}

/** The best of each algorithm with its time, the chosen one first. */
function reasonOf(rated: readonly RatedCandidate[]): string {
  const best = rated.filter((c, i) => rated.findIndex(({ winograd }) => winograd === c.winograd) === i);
  return best.map((c) => `${nameOf(c)} ${Math.round(c.microseconds)} us`).join(', ');
}

function pixelsByChannels({ width, height, channels }: MatrixTile): Tile {
  return { m: width * height, n: channels };
}

/** The largest tile that still gives enough workgroups, else the smallest. */
function workgroupTile(graph: OpGraph, group: ConvGroup): Tile {
  const { pixels, channels } = extentOf(graph, group.result);
  const workgroups = (tile: Tile) => Math.ceil(pixels / tile.m) * Math.ceil(channels / tile.n);
  const fits = (tile: Tile) => tile.n <= Math.max(32, channels) && workgroups(tile) >= ENOUGH_WORKGROUPS;
  return WORKGROUP_TILES.find(fits) ?? WORKGROUP_TILES.at(-1)!;
}
