// `unetc diff --base REF [PATTERN...]`, the gate of a branch: every graph that it changes, all told before anything fails.

import { count } from '../../compiler/graph/words.ts';
import { fails } from '../../engine/diff/make-document.ts';
import type { BaseRun } from '../../engine/diff/run-base.ts';
import { UsageError } from '../../engine/errors.ts';
import { checkWritable } from '../../runtime/host/node/files.ts';
import { CheckFailed, type Context } from '../context.ts';
import { parseChoice } from '../parse.ts';
import { acceptedFile, type DiffWords, parseOptions } from './options.ts';
import { FORMATS } from './render.ts';
import { appendSummary } from './summary.ts';

/** What is looked at where no pattern is given. */
export const PATTERNS = ['graphs/*.json'] as const;

/**
 * Compares, prints and writes. Throws the GraphError of a graph that is no valid one, or CheckFailed where something at or
 * above `--fail-on` was found.
 */
export async function baseCommand(
  ref: string,
  patterns: readonly string[],
  words: DiffWords,
  context: Context,
): Promise<void> {
  if (words.writeRenameMap !== undefined)
    throw new UsageError('--write-rename-map is of two graphs; name them: unetc diff A B');
  const asked = parseChoice(words.format ?? 'text', '--format', FORMATS);
  if (asked === 'html') throw new UsageError('--format html is of two graphs; name them: unetc diff A B');
  const settings = await parseOptions(words);
  const file = acceptedFile(words);
  for (const written of [file, words.summary]) if (written !== undefined) checkWritable(written);
  const { runBase } = await import('../../engine/diff/run-base.ts');
  const job = { ref, patterns: patterns.length > 0 ? patterns : PATTERNS, ...settings };
  const run = await runBase(job, context.signal);
  if (file !== undefined) await writeAccepts(run, file, words);
  const { renderBase } = await import('./render-base.ts');
  const { document } = run;
  const shown = { color: context.colorOut ?? false, all: words.all ?? false };
  context.stdout(await renderBase(document, words.json ? 'json' : asked, shown));
  await appendSummary(words.summary, () => renderBase(document, 'markdown', shown));
  if (run.bad !== null) throw run.bad;
  const { failing } = document.summary;
  if (failing === 0 || file !== undefined) return;
  throw new CheckFailed(
    `${count(failing, 'finding')} at or above ${document.fail_on} since ${ref}; mend the graphs, or accept them with ` +
      'the same call and --write-accepted FILE --reason TEXT, and then --accept FILE',
  );
}

/** The findings of every graph under its own path; entries of graphs that did not change stay. */
async function writeAccepts({ document, top }: BaseRun, file: string, words: DiffWords): Promise<void> {
  const { writeAccepted } = await import('../../engine/diff/accepted.ts');
  const { join } = await import('node:path');
  const graphs = document.graphs.flatMap(({ path, before, diff }) => {
    if (diff === null) return [];
    const former = before === null || before === path ? null : join(top, before);
    return [{ path: join(top, path), former, findings: diff.findings }];
  });
  const { fail_on } = document;
  writeAccepted(file, graphs, (f) => fails(f.severity, fail_on), words.reason ?? 'no reason given');
}
