// git's external diff: git calls `unetc diff --git-driver` with the path and, of both sides, a file, its hash and its
// mode. Source: git(1), GIT_EXTERNAL_DIFF. git stops at the first exit code that is not 0, so that everything is printed,
// what cannot be read included, and nothing fails.

import { readSide } from '../../engine/diff/read-side.ts';
import { runDiff } from '../../engine/diff/run-diff.ts';
import type { ReadSide } from '../../engine/diff/side.ts';
import { UsageError } from '../../engine/errors.ts';
import type { Context } from '../context.ts';
import { describeFailure, failureText } from '../exit.ts';
import { type DiffWords, parseOptions } from './options.ts';
import { render } from './render.ts';

/** Prints the diff of the two files that git names. Throws UsageError where the words are not git's. */
export async function gitDriver(
  words: readonly string[],
  options: DiffWords,
  context: Context,
): Promise<void> {
  const [path, oldFile, , , newFile] = words;
  if (path === undefined || (words.length !== 1 && words.length < 7)) {
    throw new UsageError(
      `--git-driver: found ${words.length} words, expected those of git: path, old file, hash, mode, new file, hash, mode`,
    );
  }
  if (oldFile === undefined || newFile === undefined) {
    context.stdout(`${path}: unmerged\n`);
    return;
  }
  const { options: settings } = await parseOptions({ ...options, failOn: 'never' });
  const sides: ReadSide[] = [];
  for (const [file, label] of [
    [oldFile, `a/${path}`],
    [newFile, `b/${path}`],
  ] as const) {
    if (file === '/dev/null') continue;
    try {
      sides.push(await readSide(file, label));
    } catch (error) {
      const failure = describeFailure(error);
      if (failure.kind === 'internal') throw error;
      context.stdout(`${label} cannot be read:\n${failureText({ ...failure, file: label })}\n`);
      return;
    }
  }
  const [a, b] = sides;
  if (!a || !b) {
    context.stdout(
      `${path}: ${oldFile === '/dev/null' ? 'a new' : 'a deleted'} ${(a ?? b)?.kind ?? 'file'}\n`,
    );
    return;
  }
  const run = await runDiff(a, b, { ...settings, accepted: {} });
  context.stdout(
    await render(run, 'text', b.file, { color: context.colorOut ?? false, all: options.all ?? false }),
  );
}
