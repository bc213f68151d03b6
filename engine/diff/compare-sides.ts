// Compares two sides as their words name them.

import { type AcceptedFile, acceptedOf } from './accepted.ts';
import type { DiffDocument } from './document.ts';
import { fileOfPlace, parseGitPlace, readGit } from './git.ts';
import type { DiffOptions } from './make-document.ts';
import { newGraphRun } from './one-sided.ts';
import { placeOfSide, readSide } from './read-side.ts';
import { type DiffRun, runDiff } from './run-diff.ts';
import type { ReadSide } from './side.ts';

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

/** The document of two sides that are words, as above, or that were read. */
export async function diffOf(
  a: string | ReadSide,
  b: string | ReadSide,
  job: CompareJob,
): Promise<DiffDocument> {
  if (typeof a === 'string' && typeof b === 'string') return (await compareSides(a, b, job)).run.document;
  const accepted =
    job.accepted !== null && typeof b === 'string' ? acceptedOf(job.accepted, placeOfSide(b), null) : {};
  const [from, to] = [
    typeof a === 'string' ? await readSide(a) : a,
    typeof b === 'string' ? await readSide(b) : b,
  ];
  return (await runDiff(from, to, { ...job.options, accepted })).document;
}

/** Whether A is where B's own file stood in a commit, and the commit does not have it: B is new. */
function isNew(a: string, b: string): boolean {
  const place = parseGitPlace(a);
  if (place === null || fileOfPlace(place) !== placeOfSide(b)) return false;
  const found = readGit(place);
  return !(found instanceof Uint8Array) && found !== 'folder' && found.missing === 'path';
}
