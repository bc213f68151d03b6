// Compares two sides as their words name them.

import { type AcceptedFile, acceptedOf } from './accepted.ts';
import { fileOfPlace, parseGitPlace, readGit } from './git.ts';
import type { DiffOptions } from './make-document.ts';
import { newGraphRun } from './one-sided.ts';
import { placeOfSide, readSide } from './read-side.ts';
import { type DiffRun, runDiff } from './run-diff.ts';

export interface CompareJob {
  readonly options: Omit<DiffOptions, 'accepted'>;
  /** What was accepted; the entries of side B's graph count. */
  readonly accepted: AcceptedFile | null;
}

/** The run, and the file of side B that annotations are for; null where it has none. */
export async function compareSides(
  a: string,
  b: string,
  { options: given, accepted }: CompareJob,
): Promise<{ readonly run: DiffRun; readonly file: string | null }> {
  const mine = accepted === null ? {} : acceptedOf(accepted, placeOfSide(b), null);
  const options: DiffOptions = { ...given, accepted: mine };
  if (isNew(a, b)) {
    const to = await readSide(b);
    if (to.kind === 'graph') return { run: newGraphRun(a, to, options), file: to.file };
  }
  const [from, to] = [await readSide(a), await readSide(b)];
  return { run: await runDiff(from, to, options), file: to.file };
}

/** Whether A is where B's own file stood in a commit, and the commit does not have it: B is new. */
function isNew(a: string, b: string): boolean {
  const place = parseGitPlace(a);
  if (place === null || fileOfPlace(place) !== placeOfSide(b)) return false;
  const found = readGit(place);
  return !(found instanceof Uint8Array) && found !== 'folder' && found.missing === 'path';
}
