// Errors of the engine that name options of the call, in the spelling of the Node API or of the command line.

import { RuntimeError, type RuntimeErrorKind } from '../runtime/errors.ts';
import {
  inSpelling,
  type NamesOptions,
  type Spelling,
  UsageError,
  type Words,
} from '../runtime/usage-error.ts';

export { type Spelling, UsageError, type Words } from '../runtime/usage-error.ts';

/** What was given to an option does not fit the model or its values: an error of another kind than the call's own. */
export class OptionError extends RuntimeError implements NamesOptions {
  readonly #words: Words;
  constructor(kind: RuntimeErrorKind, words: Words) {
    super(kind, inSpelling(words));
    this.#words = words;
  }
  spelled(option: Spelling): string {
    return inSpelling(this.#words, option);
  }
}

/** The message of an error, with the options that it names in a spelling. */
export function spelled(error: Error, option: Spelling): string {
  return error instanceof UsageError || error instanceof OptionError ? error.spelled(option) : error.message;
}
