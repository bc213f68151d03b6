// The name that was probably meant: by edit distance, where it is near enough to be worth naming.

/** The candidate with the least edit distance to `name`, or null where none shares at least about half of it. */
export function nearestName(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.floor(name.length / 2) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= least && !candidate.endsWith(name)) continue;
    // A name with something before it is the same name: prefixes are how wrappers change names.
    const distance =
      candidate.endsWith(`.${name}`) || name.endsWith(`.${candidate}`) ? 1 : editDistance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Insertions, deletions and replacements that make `b` of `a` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
