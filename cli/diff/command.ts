// `unetc diff` behind its words: options read and checked, the diff run, the result printed or written.

import { count } from '../../compiler/graph/words.ts';
import type { DiffDocument } from '../../engine/diff/document.ts';
import { readSide } from '../../engine/diff/read-side.ts';
import { type DiffRun, fails, runDiff } from '../../engine/diff/run-diff.ts';
import { UsageError } from '../../engine/errors.ts';
import { checkWritable } from '../../runtime/host/node/files.ts';
import { CheckFailed, type Context } from '../context.ts';
import { parseChoice } from '../parse.ts';
import { type DiffWords, parseOptions } from './options.ts';
import { FORMATS, render } from './render.ts';

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
  const [a, b, ...more] = words;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new UsageError(`found ${count(words.length, 'side')}, expected two: unetc diff A B`);
  }
  const asked = parseChoice(options.format ?? 'text', '--format', FORMATS);
  const format = options.json ? 'json' : asked;
  const settings = await parseOptions(options);
  for (const file of [options.writeRenameMap, acceptedFile(options)]) {
    if (file !== undefined) checkWritable(file);
  }
  const [from, to] = [await readSide(a), await readSide(b)];
  const run = await runDiff(from, to, settings);
  await writeRenames(run, options.writeRenameMap);
  const written = await writeAccepts(run.document, options);
  context.stdout(
    await render(run, format, to, { color: context.colorOut ?? false, all: options.all ?? false }),
  );
  if (written) return;
  const { failing } = run.document.summary;
  if (failing === 0) return;
  throw new CheckFailed(
    `${count(failing, 'finding')} at or above ${settings.failOn} between ${a} and ${b}; ` +
      'mend the graph, or accept them with --write-accepted FILE --reason TEXT and --accept FILE',
  );
}

async function writeRenames({ diff, document }: DiffRun, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  if (diff.map === null) {
    throw new UsageError(
      '--write-rename-map: the layers of a checkpoint of another family are not known; name graphs',
    );
  }
  const { writeRenameMap } = await import('../../engine/checkpoint/rename-map.ts');
  writeRenameMap(file, diff.map, { a: document.a.label, b: document.b.label });
}

/** The file that accepted findings are written to; undefined where none are. */
function acceptedFile({ accept, writeAccepted }: DiffWords): string | undefined {
  return writeAccepted === true ? accept : writeAccepted;
}

/** Whether the findings that fail were written as accepted. */
async function writeAccepts(document: DiffDocument, words: DiffWords): Promise<boolean> {
  const file = acceptedFile(words);
  if (file === undefined) return false;
  const { writeAccepted } = await import('../../engine/diff/accepted.ts');
  const { findings, fail_on } = document;
  writeAccepted(file, findings, (f) => fails(f.severity, fail_on), words.reason ?? 'no reason given');
  return true;
}
