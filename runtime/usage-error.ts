// Errors that name options of a call: as the APIs spell them (`batch`), and for the command line, which writes dashes
// before them, once more in its own spelling.

/**
 * How a caller writes the name of an option, which is given as the APIs write it: `null_class`; with false how it is
 * switched off.
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
    super(inSpelling(words));
    this.#words = words;
  }
  spelled(option: Spelling): string {
    return inSpelling(this.#words, option);
  }
}

const asGiven: Spelling = (option, value) => (value === false ? `${option}: false` : option);

/** Words in a spelling; not given, that of the APIs. */
export function inSpelling(words: Words, option: Spelling = asGiven): string {
  return typeof words === 'string' ? words : words(option);
}
