// Words of the commands that run a model once, from a file of tensors to a file of tensors.

import type { FileJob, FileRun } from '../../engine/model/run-to-file.ts';
import type { Context } from '../context.ts';
import { type ModelWords, parseModelOptions } from './model.ts';

export interface FileWords extends ModelWords {
  readonly inputs: string;
  readonly output: string;
  readonly json?: boolean;
}

export function fileJobOf(path: string, words: FileWords): FileJob {
  return { options: parseModelOptions(path, words), inputs: words.inputs, output: words.output };
}

/** Tells of each tensor with values that are not finite. */
export function warnNotFinite({ stderr }: Context, { not_finite }: Pick<FileRun, 'not_finite'>): void {
  for (const [name, count] of Object.entries(not_finite)) {
    stderr(
      `warning: ${name} has ${count} values that are not finite; check the weights and the inputs, and compare ` +
        'with --reference\n',
    );
  }
}
