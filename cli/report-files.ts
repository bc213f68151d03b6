// The reports of several graphs: printed, written beside them, or checked against what is there.

import { readFileSync } from 'node:fs';
import { otherKind } from '../engine/diff/file-kind.ts';
import { unifiedDiff } from '../engine/diff/unified.ts';
import { UsageError } from '../engine/errors.ts';
import { readGraph } from '../engine/graph/graph-file.ts';
import { warnAll } from '../engine/host.ts';
import { pathKind, writeFile } from '../runtime/host/node/files.ts';
import { turnsOf } from '../runtime/host/node/turns.ts';
import { CheckFailed, type Context } from './context.ts';
import { hostOf } from './host.ts';
import { type Report, reportOf } from './report.ts';

/** The words of the call, as commander gives them. */
export interface ReportWords {
  readonly write?: boolean;
  readonly check?: boolean;
  readonly json?: boolean;
}

interface FileReport {
  readonly graph: string;
  readonly report: string;
  readonly state: 'printed' | 'written' | 'same' | 'stale' | 'missing';
  /** Metrics over budget, as sentences. */
  readonly over_budget: readonly string[];
}

/** Throws CheckFailed where `--check` finds something. Every graph is read and compiled before anything is written. */
export async function reportFiles(
  files: readonly string[],
  words: ReportWords,
  context: Context,
): Promise<void> {
  if (words.write && words.check) throw new UsageError('--write and --check exclude each other');
  const takeTurn = turnsOf(context.signal);
  const reports: (Report & { readonly file: string })[] = [];
  for (const file of graphsAmong(files, context)) {
    await takeTurn();
    const { graph, warnings, locate } = readGraph(file);
    warnAll(hostOf(context), warnings, file);
    reports.push({ file, ...reportOf(graph, file.replace(/^.*[\\/]/, ''), { label: file, locate }) });
  }
  const done = reports.map((one): FileReport => oneReport(one, words, context));
  if (words.json) context.stdout(`${JSON.stringify({ reports: done }, null, 2)}\n`);
  if (!words.check) return;
  const stale = done.filter(({ state }) => state !== 'same').map(({ graph }) => graph);
  const over = done.flatMap(({ graph, over_budget }) => over_budget.map((what) => `${graph}: ${what}`));
  const faults = [
    ...(stale.length === 0
      ? []
      : [
          `${stale.length === 1 ? 'a report is' : `${stale.length} reports are`} not what the graph gives; run: unetc report ${stale.map(shellWord).join(' ')} --write`,
        ]),
    ...over,
  ];
  if (faults.length > 0) throw new CheckFailed(faults.join('\n'));
}

/** The files without those that are known to be no graphs, as a pattern brings them along; one file alone is meant. */
function graphsAmong(files: readonly string[], { stderr }: Context): readonly string[] {
  if (files.length < 2) return files;
  return files.filter((file) => {
    const what = pathKind(file) === 'file' ? otherKind(readFileSync(file, 'utf8'), file) : null;
    if (what !== null) stderr(`note: ${file} is left out: it is ${what}\n`);
    return what === null;
  });
}

/** `graphs/mine.report.txt` of `graphs/mine.json`. */
export function reportPath(file: string): string {
  return file.replace(/\.(json|[mc]?ts)$/i, '').concat('.report.txt');
}

/** A path as a word of a command line. */
function shellWord(file: string): string {
  return /^[\w./:@%+,=-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}

function oneReport(
  { file: graph, text, over }: { readonly file: string } & Report,
  { write, check, json }: ReportWords,
  context: Context,
): FileReport {
  const report = reportPath(graph);
  const found = { graph, report, over_budget: over };
  if (write) {
    writeFile(report, text);
    if (!json) context.stdout(`${report}: written\n`);
    return { ...found, state: 'written' };
  }
  if (!check) {
    if (!json) context.stdout(text);
    return { ...found, state: 'printed' };
  }
  const before = pathKind(report) === 'file' ? readFileSync(report, 'utf8') : null;
  if (before === text) {
    if (!json) context.stdout(`${report}: up to date\n`);
    return { ...found, state: 'same' };
  }
  if (!json) {
    context.stdout(
      before === null ? `${report}: missing\n` : unifiedDiff([report, `${report} now`], before, text),
    );
  }
  return { ...found, state: before === null ? 'missing' : 'stale' };
}
