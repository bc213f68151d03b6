// Unified diffs of texts, as `diff -u` writes them.

import { createTwoFilesPatch } from 'diff';

/** The lines that differ with three around them; empty where nothing does. `names` are those of both files. */
export function unifiedDiff(names: readonly [string, string], before: string, after: string): string {
  if (before === after) return '';
  const patch = createTwoFilesPatch(names[0], names[1], before, after, undefined, undefined, { context: 3 });
  return patch.replace(/^=+\n/, '');
}
