// How each convolution is computed: the candidates that are legal, what each takes as it was measured or as the backend's
// model expects, and the choice. It depends on the sizes of one sample and never on the batch, so that a sample is
// computed by the same sums at every batch size.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import { sizeOf } from '../../ops/op.ts';
import type { Backend } from '../backends/backend.ts';
import type { Candidate, Choice, ConvGroup, WinogradTile } from '../schedule.ts';
import { extentOf, quadsOf } from '../values.ts';
import { choiceOf, mayChoose, nameOf, type PricedCandidate, type RatedCandidate } from './candidates.ts';
import { keyOf, type Tuning } from './tuning.ts';
import { planesOf } from './winograd.ts';

export interface ChoiceOptions {
  /** Leaves out every algorithm that is less exact than the plain one. Default false. */
  readonly strict?: boolean;
  /**
   * Chooses what computes the most samples a second, by batches that are large whatever the batch is, and not what gives one
   * sample soonest: where dispatches cost as much as small work does, other kernels. Default false.
   */
  readonly throughput?: boolean;
  /** What was measured on the adapter; the fastest candidate of a group that is in it is taken. */
  readonly tuning?: Tuning | undefined;
  /** Microseconds that a byte of packed weights is worth: with a price, the choice saves memory. Default 0. */
  readonly price?: number;
}

/** Samples that share a dispatch where throughput counts. */
const THROUGHPUT_SAMPLES = 16;

/** What a choice is made from, the cheapest first, and whether the times were measured. */
export interface Priced {
  readonly candidates: readonly PricedCandidate[];
  readonly measured: boolean;
}

/** The candidates of a convolution with their costs; null where neither a tuning nor a model knows them. */
export type Prices = (group: ConvGroup) => Priced | null;

/** The prices of a graph's convolutions, each kind of convolution priced once. */
export function createPrices(graph: OpGraph, backend: Backend, options: ChoiceOptions): Prices {
  const known = new Map<string, Priced | null>();
  return (group) => {
    // a fused upsampling leaves fewer candidates
    const key = `${keyOf(graph, group)}${group.upsample === null ? '' : ' upsample'}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const priced = priceConv(graph, group, backend, options);
    known.set(key, priced);
    return priced;
  };
}

/**
 * The choice among candidates; of Winograd's algorithm, only candidates with one of the given tiles count. A rule, which weighs
 * nothing, takes no algorithm that is less exact or that expands weights where that is not wanted.
 */
export function chooseConv(
  graph: OpGraph,
  group: ConvGroup,
  { untuned }: Backend,
  prices: Prices,
  tiles: ReadonlySet<WinogradTile>,
  {
    throughput = false,
    strict = false,
    price = 0,
  }: Pick<ChoiceOptions, 'throughput' | 'strict' | 'price'> = {},
): Choice {
  const priced = prices(group);
  if (priced !== null) {
    const { candidates, measured } = priced;
    return choiceOf(candidates.find((one) => mayChoose(one, tiles))!, candidates, measured);
  }
  invariant(untuned.by === 'rule', `no price for %${group.anchor}, whose candidates have a model`);
  const choice = { ...untuned.choose(graph, group, strict || price > 0), reason: null };
  return throughput ? { ...choice, slices: 1 } : choice;
}

function priceConv(
  graph: OpGraph,
  group: ConvGroup,
  backend: Backend,
  { strict = false, throughput = false, tuning, price = 0 }: ChoiceOptions,
): Priced | null {
  const samples = throughput ? THROUGHPUT_SAMPLES : 1;
  const legal = backend.candidates(graph, group, strict);
  // many samples keep an adapter busy without slices
  const candidates = throughput ? legal.filter(({ slices }) => slices === 1) : legal;
  const times = tuning?.[keyOf(graph, group)] ?? {};
  const measured = candidates.flatMap((candidate): readonly RatedCandidate[] => {
    const microseconds = times[nameOf(candidate)];
    return microseconds === undefined ? [] : [{ ...candidate, microseconds }];
  });
  const worth = (one: Candidate) => (price > 0 ? price * weightBytes(graph, group, one) : 0);
  const byCost = (rated: readonly RatedCandidate[]) =>
    rated.map((one) => ({ ...one, cost: one.microseconds + worth(one) })).sort((a, b) => a.cost - b.cost);
  if (measured.length > 0) {
    const others = price > 0 ? unmeasured(graph, group, backend, candidates, measured, samples) : [];
    return { candidates: byCost([...measured, ...others]), measured: true };
  }
  const rated = rate(graph, group, backend, candidates, samples);
  return rated && { candidates: byCost(rated), measured: false };
}

/** Candidates with what the backend's model expects of them where `samples` share a dispatch; null where it has none. */
export function rate(
  graph: OpGraph,
  group: ConvGroup,
  { untuned }: Backend,
  candidates: readonly Candidate[],
  samples = 1,
): readonly RatedCandidate[] | null {
  if (untuned.by === 'rule') return null;
  const { microseconds } = untuned;
  return candidates.map((one) => ({ ...one, microseconds: microseconds(graph, group, one, samples) }));
}

/** What a tuning left out because it was too slow to be measured: slower than all that was, by the model or at the least. */
function unmeasured(
  graph: OpGraph,
  group: ConvGroup,
  backend: Backend,
  candidates: readonly Candidate[],
  measured: readonly RatedCandidate[],
  samples: number,
): readonly RatedCandidate[] {
  const slowest = Math.max(...measured.map(({ microseconds }) => microseconds));
  const known = new Set(measured.map(nameOf));
  const others = candidates.filter((one) => !known.has(nameOf(one)));
  const rated = rate(graph, group, backend, others, samples) ?? [];
  return rated.map((one) => ({ ...one, microseconds: Math.max(one.microseconds, slowest) }));
}

/** Bytes of the weights as a candidate packs them: Winograd's planes are more than the taps that they come of. */
function weightBytes(graph: OpGraph, group: ConvGroup, { winograd, tile }: Candidate): number {
  const [, , ...kernel] = graph.nodes[graph.nodes[group.anchor]!.inputs[1]!]!.type.shape;
  const inputs = quadsOf(graph, group.sources) * 4;
  const outputs = Math.ceil(extentOf(graph, group.result).channels / tile.n) * tile.n;
  return (winograd ? planesOf(winograd) : sizeOf(kernel)) * inputs * outputs * 4;
}
