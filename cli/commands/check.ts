// `unetc check`: whether a checkpoint fits a graph, and where it does not, why, in the graph's terms.

import { printInline } from '../../compiler/format/json.ts';
import type { CheckReport, DifferentLayer } from '../../compiler/import/check.ts';
import { UsageError } from '../../engine/errors.ts';
import { isCheckpointPath } from '../../engine/graph/checkpoint-path.ts';
import { CheckFailed, type Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { addOptions } from '../words/options.ts';
import { CHECKPOINT, KEYS } from '../words/weights.ts';

/** Layers that are written out; the rest is counted. */
const LISTED = 20;

const NOTES = `
Only the head of CHECKPOINT is read. It may be a state dict as JSON, too: names and shapes.
Exits with 1 where it does not fit. A checkpoint that fits can still mean another model: what shapes do not tell is
listed, and \`unetc diff\` compares it between two graphs.`;

interface Words {
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('check')
    .description('says whether a checkpoint fits a graph, and what does not')
    .argument('<graph>', 'graph file of either form')
    .argument(
      '[checkpoint]',
      `${CHECKPOINT}; where it is left out, the one that stands in the graph's place`,
    );
  addOptions(command, ['allowUnexpected', 'renameMap', 'json'])
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, named: string | undefined, { json, ...options }: Words) => {
      const checkpoint = named ?? ownCheckpoint(path);
      const { checkCheckpoint } = await import('../../engine/checkpoint/infer-graph.ts');
      const report = await checkCheckpoint(path, checkpoint, hostOf(context), options);
      const { FAMILY_KEYS } = await import('../../compiler/families/index.ts');
      const words = printReport(report, path, checkpoint, FAMILY_KEYS);
      context.stdout(json ? `${JSON.stringify({ graph: path, checkpoint, ...report }, null, 2)}\n` : words);
      if (!report.fits) throw new CheckFailed(`${checkpoint} does not fit ${path}`);
    });
};

/** A checkpoint that is given as the graph brings its tensors. Throws UsageError for a graph that is none. */
function ownCheckpoint(path: string): string {
  if (isCheckpointPath(path)) return path;
  throw new UsageError(`say which checkpoint is held against ${path}: unetc check ${path} CHECKPOINT`);
}

function printReport(
  report: CheckReport,
  graph: string,
  checkpoint: string,
  families: readonly string[],
): string {
  const { fits, counts, options, layers, tensors, undetermined, prefix } = report;
  const stripped = prefix === '' ? '' : ` without the prefix ${JSON.stringify(prefix)}`;
  if (fits) {
    const open = undetermined.map(({ key }) => withoutSection(key, families)).join(', ');
    return `${checkpoint}: fits ${graph}, all ${tensors} tensors${stripped}; shapes cannot confirm ${open}\n`;
  }
  const found = [
    `${counts.missing} missing`,
    `${counts.unexpected} unexpected`,
    `${counts.shape} of another shape`,
  ].filter((text) => !text.startsWith('0'));
  const different = (options ?? []).map(
    ({ option, graph: a, checkpoint: b }) =>
      `  ${option}: ${printInline(a)} in the graph, ${printInline(b)} in the checkpoint`,
  );
  const shown = layers.slice(0, LISTED).map(printLayer);
  const hidden = layers.length - shown.length;
  return [
    `${checkpoint}: ${found.join(', ')}${stripped}`,
    ...(different.length > 0 ? ['options that differ:', ...different] : []),
    'layers that differ:',
    ...shown,
    ...(hidden > 0 ? [`  ... and ${hidden} more`] : []),
    options === null ? '' : `The graph of this checkpoint is what \`unetc infer ${checkpoint}\` prints.`,
  ]
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/** A key of an inferred graph without the family that its file shows. */
function withoutSection(key: string, families: readonly string[]): string {
  const family = families.find((one) => key.startsWith(`/${one}/`));
  return key.slice(family === undefined ? 1 : family.length + 2);
}

function printLayer({ path, graph, checkpoint, absent, misfits }: DifferentLayer): string {
  const said = `  ${quoted(path)}:`;
  if (graph !== null && absent) return `${said} ${graph} in the graph, nothing in the checkpoint`;
  if (graph !== null && checkpoint !== null && graph !== checkpoint) {
    return `${said} ${graph} in the graph, ${checkpoint} in the checkpoint`;
  }
  if (graph === null) {
    return `${said} nothing in the graph, ${checkpoint ?? names(misfits)} in the checkpoint`;
  }
  return `${said} ${graph}: ${misfits.map((one) => printMisfit(one, path)).join(', ')}`;
}

function names(misfits: DifferentLayer['misfits']): string {
  return misfits.map(({ name, found }) => `${quoted(name)} ${printInline(found)}`).join(', ');
}

/** A misfit under its layer's path, which its name need not repeat. */
function printMisfit(
  { kind, name, expected, found }: DifferentLayer['misfits'][number],
  path: string,
): string {
  const own = quoted(name.startsWith(`${path}.`) ? name.slice(path.length + 1) : name);
  switch (kind) {
    case 'missing':
      return `${own} ${printInline(expected)} is missing`;
    case 'unexpected':
      return `${own} ${printInline(found)} is unexpected`;
    case 'shape':
      return `${own} is ${printInline(found)} instead of ${printInline(expected)}`;
  }
}

/** A name from a file must not steer a terminal. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}
