// Errors that name options of the call: as the Node API spells them (`batch`), and for the command line, which writes
// dashes before them, once more in its own spelling.

import { RuntimeError, type RuntimeErrorKind } from '../runtime/errors.ts';

/**
 * How a caller writes the name of an option, which is given as the Node API writes it: `null_class`; with false how it
 * is switched off.
 */
export type Spelling = (option: string, value?: false) => string;

/** A message, or where it names options, the message for a spelling of them. */
export type Words = string | ((option: Spelling) => string);

/** An error that can be told in another spelling of the options that it names. */
export interface NamesOptions {
  spelled(option: Spelling): string;
}

/** The call is off: the value of an option, or options that do not go together. `message` spells them as the API. */
export class UsageError extends Error implements NamesOptions {
  override readonly name = 'UsageError';
  readonly #words: Words;
  constructor(words: Words) {
    super(inSpelling(words, asGiven));
    this.#words = words;
  }
  spelled(option: Spelling): string {
    return inSpelling(this.#words, option);
  }
}

/** What was given to an option does not fit the model or its values: an error of another kind than the call's own. */
export class OptionError extends RuntimeError implements NamesOptions {
  readonly #words: Words;
  constructor(kind: RuntimeErrorKind, words: Words) {
    super(kind, inSpelling(words, asGiven));
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

const asGiven: Spelling = (option, value) => (value === false ? `${option}: false` : option);

function inSpelling(words: Words, option: Spelling): string {
  return typeof words === 'string' ? words : words(option);
}
