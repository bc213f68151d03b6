// Aligns two sequences so that the sum of the scores of what is matched is largest (Needleman and Wunsch 1970).

/** Places in both sequences; null on the side that has nothing. */
export interface Aligned {
  readonly a: number | null;
  readonly b: number | null;
}

/**
 * Pairs places of a sequence of length `n` with places of one of length `m`, both in order. A score of 0 or less is
 * never matched. Of equal sums, the one that matches later places is taken.
 */
export function align(n: number, m: number, score: (i: number, j: number) => number): readonly Aligned[] {
  const width = m + 1;
  const best = new Float64Array((n + 1) * width);
  const steps = new Uint8Array((n + 1) * width);
  for (let i = 1; i <= n; i++) {
    for (let j = 1; j <= m; j++) {
      const at = i * width + j;
      const up = best[at - width]!;
      const left = best[at - 1]!;
      const own = score(i - 1, j - 1);
      const match = own > 0 ? best[at - width - 1]! + own : Number.NEGATIVE_INFINITY;
      const most = Math.max(up, left, match);
      best[at] = most;
      steps[at] = match === most ? MATCH : left === most ? LEFT : UP;
    }
  }
  const pairs: Aligned[] = [];
  let [i, j] = [n, m];
  while (i > 0 || j > 0) {
    const step = i === 0 ? LEFT : j === 0 ? UP : steps[i * width + j];
    pairs.push({ a: step === LEFT ? null : i - 1, b: step === UP ? null : j - 1 });
    if (step !== LEFT) i--;
    if (step !== UP) j--;
  }
  return pairs.reverse();
}

const MATCH = 0;
const LEFT = 1;
const UP = 2;
