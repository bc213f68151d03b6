// Runs the diff of a branch: every graph that it changes against what the graph was where the branch began.

import fs from 'node:fs';
import path from 'node:path';
import { type Diagnostic, GraphError } from '../../compiler/diagnostics.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { decodeUtf8 } from '../../runtime/bytes.ts';
import { turnsOf } from '../../runtime/host/node/turns.ts';
import { graphNotation, readGraphFile } from '../graph/graph-file.ts';
import { type AcceptedFile, acceptedOf } from './accepted.ts';
import { BASE_VERSION, type BaseDocument, type BaseGraph } from './base-document.ts';
import { type Base, type ChangedFile, changedFiles, findBase } from './changed-files.ts';
import { otherKind } from './file-kind.ts';
import { readGit } from './git.ts';
import type { DiffOptions } from './make-document.ts';
import { goneGraphRun, newGraphRun, renamedFinding } from './one-sided.ts';
import { runDiff } from './run-diff.ts';
import { graphSide, type ReadSide } from './side.ts';

export interface BaseJob {
  readonly ref: string;
  /** Patterns of git, from here. */
  readonly patterns: readonly string[];
  readonly options: Omit<DiffOptions, 'accepted'>;
  /** What was accepted; null where nothing was. */
  readonly accepted: AcceptedFile | null;
}

export interface BaseRun {
  readonly document: BaseDocument;
  /** Top folder of the working tree, from which the document's paths are. */
  readonly top: string;
  /** The first of the graphs that are not valid. */
  readonly bad: GraphError | null;
}

/** What is at a path on one side: a graph as its text, something else, or nothing. */
type Found =
  | { readonly kind: 'graph'; readonly text: string }
  | { readonly kind: 'other'; readonly what: string }
  | { readonly kind: 'none' };

/** Compares every graph that changed. Rejects with UsageError where the base or the patterns are off, and the signal's reason. */
export async function runBase(job: BaseJob, signal: AbortSignal): Promise<BaseRun> {
  const takeTurn = turnsOf(signal);
  const base = findBase(job.ref);
  const graphs: BaseGraph[] = [];
  const left: BaseDocument['left_out'] = [];
  let bad: GraphError | null = null;
  for (const file of changedFiles(base, job.patterns)) {
    await takeTurn();
    const before = file.before === null ? NONE : foundAtBase(base, file.before);
    const after = file.after === null ? NONE : foundHere(base, file.after);
    if (before.kind !== 'graph' && after.kind !== 'graph') {
      const what = after.kind === 'other' ? after.what : before.kind === 'other' ? before.what : '';
      left.push({ path: (file.after ?? file.before)!, what });
      continue;
    }
    const { graph, error } = await oneGraph({ file, before, after }, base, job);
    graphs.push(graph);
    bad ??= error;
  }
  const sum = (key: keyof NonNullable<BaseGraph['diff']>['summary']) =>
    graphs.reduce((total, { diff }) => total + (diff?.summary[key] ?? 0), 0);
  const document: BaseDocument = {
    format: 'unetc-diff-base',
    version: BASE_VERSION,
    base: { ref: base.ref, commit: base.commit },
    patterns: [...job.patterns],
    fail_on: job.options.failOn,
    summary: {
      graphs: graphs.length,
      breaking: sum('breaking'),
      dangerous: sum('dangerous'),
      info: sum('info'),
      accepted: sum('accepted'),
      failing: sum('failing'),
      bad: graphs.filter(({ state }) => state === 'bad').length,
    },
    graphs,
    left_out: left,
  };
  return { document, top: base.top, bad };
}

const NONE: Found = { kind: 'none' };

interface Both {
  readonly file: ChangedFile;
  readonly before: Found;
  readonly after: Found;
}

/** A graph that one side has, or both. */
async function oneGraph(
  { file, before, after }: Both,
  base: Base,
  { options: given, accepted }: BaseJob,
): Promise<{ readonly graph: BaseGraph; readonly error: GraphError | null }> {
  const place = (file.after ?? file.before)!;
  const options: DiffOptions = {
    ...given,
    accepted: accepted === null ? {} : acceptedOf(accepted, at(base, place), formerOf(file, base)),
  };
  const told = { path: place, before: before.kind === 'graph' ? file.before : null, diagnostics: [] };
  const labels = { a: `git:${base.commit.slice(0, 12)}:${file.before ?? place}`, b: place };
  if (after.kind !== 'graph') {
    const why = after.kind === 'other' ? `the file is ${after.what} now` : 'the file is gone';
    const { document } = goneGraphRun(place, labels, options, why);
    return { graph: { ...told, state: 'deleted', diff: document }, error: null };
  }
  let b: ReadSide;
  try {
    // as a person here would name it; annotations want the path from the top
    const here = path.relative('.', at(base, place));
    b = { ...graphSide(loadGraph(readGraphFile(here), here), place, place), file: place };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const diagnostics = error.diagnostics.map(shownDiagnostic);
    return { graph: { ...told, state: 'bad', diff: null, diagnostics }, error };
  }
  if (before.kind !== 'graph') {
    return {
      graph: { ...told, state: 'added', diff: newGraphRun(labels.a, b, options).document },
      error: null,
    };
  }
  let a: ReadSide;
  try {
    a = graphSide(loadGraph(graphNotation(before.text, file.before!), labels.a), labels.a, file.before!);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const unread = error.diagnostics[0]?.message ?? '';
    const { document } = newGraphRun(labels.a, b, options, unread);
    return { graph: { ...told, state: 'mended', diff: document }, error: null };
  }
  const moved = file.before !== file.after;
  const besides = moved ? [renamedFinding(file.before!, file.after!, !file.named)] : [];
  const { document } = await runDiff(a, b, options, besides);
  return { graph: { ...told, state: moved ? 'renamed' : 'changed', diff: document }, error: null };
}

/** The absolute path of what a graph was called before, where it was called otherwise. */
function formerOf({ before, after }: ChangedFile, base: Base): string | null {
  return before === null || after === null || before === after ? null : at(base, before);
}

function foundAtBase({ commit }: Base, file: string): Found {
  const bytes = readGit({ ref: commit, path: file });
  if (!(bytes instanceof Uint8Array))
    return { kind: 'other', what: bytes === 'folder' ? 'a folder' : bytes.fault };
  return foundIn(bytes, file);
}

/** A file that cannot be read counts as a graph: whoever reads it will say why it is none. */
function foundHere(base: Base, file: string): Found {
  const here = at(base, file);
  const stat = fs.statSync(here, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > MOST_BYTES) return { kind: 'graph', text: '' };
  return foundIn(fs.readFileSync(here), file);
}

/** Larger files are no graphs, and reading a graph says so. */
const MOST_BYTES = 16 * 2 ** 20;

function foundIn(bytes: Uint8Array, file: string): Found {
  const text = decodeUtf8(bytes) ?? '';
  const what = otherKind(text, file);
  return what === null ? { kind: 'graph', text } : { kind: 'other', what };
}

function at({ top }: Base, file: string): string {
  return path.join(top, file);
}

function shownDiagnostic({
  severity,
  code,
  pointer,
  message,
  position,
}: Diagnostic): BaseGraph['diagnostics'][number] {
  const { line, column } = position ?? {};
  return {
    ...{ severity, code, pointer, message },
    position: line === undefined || column === undefined ? null : { line, column },
  };
}
