// The terms of a bound while they are computed: of each image a row, a column for each step, the noisiest first.

import type { BoundTerm } from '../../runtime/training/bound.ts';
import type { Bounds } from './job.ts';

/** What is known of the images of a job, or of a part of it. */
export interface Terms extends Omit<Bounds, 'total_bpd'> {
  readonly images: number;
  readonly steps: number;
  /** [N, T], 1 where the term is known. */
  readonly known: Uint8Array;
  /** [N], how many terms of an image are known, and whether that of its prior is. */
  readonly counts: Uint32Array;
  readonly has_prior: Uint8Array;
  /** [N, 2], the first words of each image's digest; zeros where nothing is known of it. */
  readonly digests: Uint32Array;
}

export function emptyTerms(images: number, steps: number): Terms {
  const terms = () => new Float32Array(images * steps);
  return {
    images,
    steps,
    prior_bpd: new Float32Array(images),
    vb: terms(),
    xstart_mse: terms(),
    mse: terms(),
    known: new Uint8Array(images * steps),
    counts: new Uint32Array(images),
    has_prior: new Uint8Array(images),
    digests: new Uint32Array(2 * images),
  };
}

/** Writes a term in its place. @param index of the process */
export function setTerm(terms: Terms, row: number, index: number, term: BoundTerm): void {
  const at = placeOf(terms, row, index);
  terms.vb[at] = term.vb;
  terms.xstart_mse[at] = term.xstart_mse;
  terms.mse[at] = term.mse;
  if (terms.known[at] === 0) terms.counts[row]!++;
  terms.known[at] = 1;
}

/** Writes all terms of an image, those of row `from` of `bounds`. */
export function setRow(terms: Terms, row: number, bounds: Bounds, from: number): void {
  const { steps } = terms;
  for (const key of ['vb', 'xstart_mse', 'mse'] as const)
    terms[key].set(bounds[key].subarray(from * steps, (from + 1) * steps), row * steps);
  setPrior(terms, row, bounds.prior_bpd[from]!);
  terms.known.fill(1, row * steps, (row + 1) * steps);
  terms.counts[row] = steps;
}

/** Indices of the process whose terms of an image are missing, the noisiest first. */
export function missingIndices(terms: Terms, row: number): readonly number[] {
  const all = Array.from({ length: terms.steps }, (_, column) => terms.steps - 1 - column);
  return all.filter((index) => terms.known[placeOf(terms, row, index)] === 0);
}

export function setPrior(terms: Terms, row: number, prior: number): void {
  terms.prior_bpd[row] = prior;
  terms.has_prior[row] = 1;
}

export function isWhole({ counts, has_prior, steps }: Terms, row: number): boolean {
  return counts[row] === steps && has_prior[row] === 1;
}

function placeOf({ steps }: Terms, row: number, index: number): number {
  return row * steps + (steps - 1 - index);
}

/** The bounds of whole images, by their rows. */
export function boundsOf(terms: Terms, rows: readonly number[]): Bounds {
  const { steps } = terms;
  const taken = (values: Float32Array): Float32Array => {
    const some = new Float32Array(rows.length * steps);
    for (const [k, row] of rows.entries())
      some.set(values.subarray(row * steps, (row + 1) * steps), k * steps);
    return some;
  };
  const vb = taken(terms.vb);
  const prior_bpd = Float32Array.from(rows, (row) => terms.prior_bpd[row]!);
  return {
    total_bpd: totals(vb, prior_bpd, steps),
    prior_bpd,
    vb,
    xstart_mse: taken(terms.xstart_mse),
    mse: taken(terms.mse),
  };
}

/** The sum of each image's terms and of its prior's, added up in float64. */
function totals(vb: Float32Array, prior: Float32Array, steps: number): Float32Array {
  return prior.map((own, k) => {
    let sum = own;
    for (let column = 0; column < steps; column++) sum += vb[k * steps + column]!;
    return sum;
  });
}

/** The mean over all values; NaN of none. */
export function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** How far the mean of so many images may be from that of all: the deviation over the root of their number; 0 of one. */
export function standardError(values: Float32Array): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - middle) ** 2;
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
