// `unetc diff` of two sides behind its words: options read and checked, the diff run, the result printed or written.

import { count } from '../../compiler/graph/words.ts';
import { compareSides } from '../../engine/diff/compare-sides.ts';
import { fails } from '../../engine/diff/make-document.ts';
import { placeOfSide } from '../../engine/diff/read-side.ts';
import type { DiffRun } from '../../engine/diff/run-diff.ts';
import { UsageError } from '../../engine/errors.ts';
import { checkWritable } from '../../runtime/host/node/files.ts';
import { CheckFailed, type Context } from '../context.ts';
import { parseChoice } from '../parse.ts';
import { acceptedFile, type DiffWords, parseOptions } from './options.ts';
import { FORMATS, render } from './render.ts';
import { appendSummary } from './summary.ts';

/** Compares, prints, and throws CheckFailed where something at or above `--fail-on` was found. */
export async function diffCommand(
  words: readonly string[],
  options: DiffWords,
  context: Context,
): Promise<void> {
  if (options.gitDriver) {
    const { gitDriver } = await import('./git-driver.ts');
    return gitDriver(words, options, context);
  }
  if (options.base !== undefined) {
    const { baseCommand } = await import('./base-command.ts');
    return baseCommand(options.base, words, options, context);
  }
  const [a, b, ...more] = words;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new UsageError(
      `found ${count(words.length, 'side')}, expected two: unetc diff A B; or unetc diff --base REF [PATTERN...]`,
    );
  }
  const asked = parseChoice(options.format ?? 'text', '--format', FORMATS);
  const format = options.json ? 'json' : asked;
  const settings = await parseOptions(options);
  for (const file of [options.writeRenameMap, acceptedFile(options), options.summary]) {
    if (file !== undefined) checkWritable(file);
  }
  const { run, file } = await compareSides(a, b, settings);
  await writeRenames(run, options.writeRenameMap);
  const written = await writeAccepts(run, b, options);
  context.stdout(
    await render(run, format, file, { color: context.colorOut ?? false, all: options.all ?? false }),
  );
  await appendSummary(options.summary, async () =>
    render(run, 'markdown', file, { color: false, all: false }),
  );
  if (written) return;
  const { failing } = run.document.summary;
  if (failing === 0) return;
  throw new CheckFailed(
    `${count(failing, 'finding')} at or above ${settings.options.failOn} between ${a} and ${b}; ` +
      'mend the graph, or accept them with --write-accepted FILE --reason TEXT and --accept FILE',
  );
}

async function writeRenames({ diff, document }: DiffRun, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  if (diff.map === null) {
    throw new UsageError(
      '--write-rename-map: the layers of a checkpoint of another family are not known; name two graphs',
    );
  }
  const { writeRenameMap } = await import('../../engine/checkpoint/rename-map.ts');
  writeRenameMap(file, diff.map, { a: document.a.label, b: document.b.label });
}

/** Whether the findings that fail were written as accepted, under the file of the new side. */
async function writeAccepts({ document }: DiffRun, b: string, words: DiffWords): Promise<boolean> {
  const file = acceptedFile(words);
  if (file === undefined) return false;
  const { writeAccepted } = await import('../../engine/diff/accepted.ts');
  const { findings, fail_on } = document;
  const graph = { path: placeOfSide(b), former: null, findings };
  writeAccepted(file, [graph], (f) => fails(f.severity, fail_on), words.reason ?? 'no reason given');
  return true;
}
