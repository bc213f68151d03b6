// The options of `unetc diff`: the words of the call, read and checked.

import { SEVERITIES } from '../../compiler/diff/rules.ts';
import { targetFor } from '../../engine/compile/target-choice.ts';
import type { DiffOptions } from '../../engine/diff/run-diff.ts';
import { UsageError } from '../../engine/errors.ts';
import { parseChoice } from '../parse.ts';

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
  readonly all?: boolean;
  readonly gitDriver?: boolean;
}

/** Reads the words. Throws UsageError, and RuntimeError('input') where the accepted findings cannot be read. */
export async function parseOptions(words: DiffWords): Promise<DiffOptions> {
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
    accept === undefined ? {} : (await import('../../engine/diff/accepted.ts')).readAccepted(accept);
  return {
    failOn,
    accepted,
    schedule: words.schedule === undefined ? 'auto' : words.schedule ? 'always' : 'never',
    target: words.target ?? 'generic',
    kernels: words.kernels ?? false,
  };
}
