// The options of `unetc diff`: the words of the call, read and checked.

import { SEVERITIES } from '../../compiler/diff/rules.ts';
import { LARGEST_BATCH } from '../../engine/compile/model-settings.ts';
import { targetFor } from '../../engine/compile/target-choice.ts';
import type { AcceptedFile } from '../../engine/diff/accepted.ts';
import type { DiffOptions } from '../../engine/diff/make-document.ts';
import { trainingChoice } from '../../engine/diff/training-choice.ts';
import { UsageError } from '../../engine/errors.ts';
import { parseAmount, parseBytes, parseChoice, parseCount } from '../parse.ts';

/** The words of the call, as commander gives them. */
export interface DiffWords {
  readonly format?: string;
  readonly json?: boolean;
  readonly failOn?: string;
  readonly accept?: string;
  readonly writeAccepted?: string | true;
  readonly reason?: string;
  readonly writeRenameMap?: string;
  readonly schedule?: boolean;
  readonly target?: string;
  readonly kernels?: boolean;
  readonly train?: boolean;
  readonly batch?: string;
  readonly averages?: string;
  readonly precision?: string;
  readonly memory?: string;
  readonly all?: boolean;
  readonly gitDriver?: boolean;
  readonly base?: string;
  readonly summary?: string;
}

/** The words, read. */
export interface DiffSettings {
  /** Of any graph; what was accepted is of one. */
  readonly options: Omit<DiffOptions, 'accepted'>;
  /** What was accepted; null where nothing was, or is to be written. */
  readonly accepted: AcceptedFile | null;
}

/** Reads the words. Throws UsageError, and RuntimeError('input') where the accepted findings cannot be read. */
export async function parseOptions(words: DiffWords): Promise<DiffSettings> {
  const failOn = parseChoice(words.failOn ?? 'breaking', '--fail-on', [...SEVERITIES, 'never'] as const);
  if (words.writeAccepted === true && words.accept === undefined) {
    throw new UsageError('--write-accepted: say into which file, or name it with --accept');
  }
  if (words.reason !== undefined && words.writeAccepted === undefined) {
    throw new UsageError('--reason goes with --write-accepted');
  }
  targetFor(words.target ?? 'generic');
  const accept = words.writeAccepted === undefined ? words.accept : undefined;
  const accepted =
    accept === undefined ? null : (await import('../../engine/diff/accepted.ts')).readAccepted(accept);
  const schedule = words.schedule === undefined ? 'auto' : words.schedule ? 'always' : 'never';
  const target = words.target ?? 'generic';
  const { batch, averages, precision, memory } = words;
  const training = trainingChoice({
    train: words.train,
    batch: batch === undefined ? undefined : parseCount(batch, '--batch', LARGEST_BATCH),
    averages: averages === undefined ? undefined : parseAmount(averages, '--averages'),
    precision:
      precision === undefined ? undefined : parseChoice(precision, '--precision', ['f32', 'f16'] as const),
    memory: memory === undefined ? undefined : parseBytes(memory, '--memory'),
  });
  return { options: { failOn, schedule, target, kernels: words.kernels ?? false, training }, accepted };
}

/** The file that accepted findings are written to; undefined where none are. */
export function acceptedFile({ accept, writeAccepted }: DiffWords): string | undefined {
  return writeAccepted === true ? accept : writeAccepted;
}
