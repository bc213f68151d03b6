// Chains of samples, started or part of the way down, and how they are put together in batches.

import { elements, type Tensor } from '../tensor.ts';
import { INITIAL_STEP, normalNoise } from './noise.ts';
import type { SampleRequest } from './request.ts';

/** Where a chain stands between two steps: all that a run which was stopped goes on from. */
export interface ChainState {
  /** Index of the process whose step comes next; -1 behind the last. */
  readonly index: number;
  readonly x: Float32Array;
  /** What the step before kept for the next one, where the sampler does. */
  readonly kept: Float32Array | null;
  /** Guesses that a trajectory shows, in the order of the steps. */
  readonly frames: readonly Float32Array[];
}

/** A chain of a list of requests. */
export interface Chain {
  readonly request: SampleRequest;
  /** Position of the request in the list. */
  readonly position: number;
  readonly state: ChainState;
}

/** Chains that take their steps together: all have the same index. */
export interface Group<R extends SampleRequest = SampleRequest> {
  readonly index: number;
  /** Requests with their positions. */
  readonly members: readonly { readonly request: R; readonly position: number }[];
}

/** Groups of at most `size`, each at one index: first those under way, least far first, then the others in order. */
export function groupChains<R extends SampleRequest>(
  requests: readonly R[],
  resumed: ReadonlyMap<number, ChainState>,
  last: number,
  size: number,
): readonly Group<R>[] {
  const indexed = requests.map((request, position) => ({
    request,
    position,
    index: resumed.get(position)?.index ?? last,
    fresh: !resumed.has(position),
  }));
  const indices = [...new Set(indexed.filter(({ fresh }) => !fresh).map(({ index }) => index))];
  const classes = [
    ...indices
      .toSorted((a, b) => b - a)
      .map((index) => indexed.filter((one) => !one.fresh && one.index === index)),
    indexed.filter(({ fresh }) => fresh),
  ];
  return classes.flatMap((members) =>
    Array.from({ length: Math.ceil(members.length / size) }, (_, i) => {
      const some = members.slice(i * size, (i + 1) * size);
      return { index: some[0]!.index, members: some };
    }),
  );
}

/** A chain at its beginning: x_T of the request, or else of its seed. */
export function startChain(request: SampleRequest, last: number, length: number): ChainState {
  const x = request.noise?.slice() ?? normalNoise(request.seed, INITIAL_STEP, length);
  return { index: last, x, kept: null, frames: [] };
}

/** Steps whose guesses a trajectory of at most `count` pictures shows, evenly over all of them. */
export function trajectoryIndices(steps: number, count: number): ReadonlySet<number> {
  const shown = Math.min(steps, count);
  return new Set(Array.from({ length: shown }, (_, i) => steps - 1 - Math.floor((i * steps) / shown)));
}

/** A row as a tensor of `shape`. */
export function asTensor(data: Float32Array, shape: readonly number[]): Tensor {
  if (data.length !== elements(shape))
    throw new Error(`internal: ${data.length} values for [${shape.join(', ')}]`);
  return { shape, data };
}
