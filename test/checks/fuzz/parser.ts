// What a parser is to the check: how inputs are made for it, how it is called, and what it may say.

import { GraphError } from '../../../compiler/diagnostics.ts';
import { UsageError } from '../../../engine/errors.ts';
import { RuntimeError, type RuntimeErrorKind } from '../../../runtime/errors.ts';
import type { Random } from './random.ts';

export interface Parser {
  readonly name: string;
  /** How many of all inputs it gets, beside the others': less where an input takes long. */
  readonly share: number;
  /** An input; the same numbers give the same one. */
  make(random: Random): Uint8Array;
  /**
   * Reads an input. True where it was taken, false where it was refused in the project's own words; anything else throws.
   * @param at a path for those that read files, in a folder that is there
   */
  read(input: Uint8Array, at: (name: string) => string): boolean | Promise<boolean>;
}

/** What may refuse an input: a graph's faults, a call's, or a kind of what is read. */
export type Refusal = 'graph' | 'usage' | RuntimeErrorKind;

/** Something was taken that says two things. */
export class Inconsistent extends Error {
  override readonly name = 'Inconsistent';
}

/** Longer messages were made by a file, and not for a person. Faults of a graph are a line each, and cut when they are shown. */
const LONGEST_MESSAGE = 20_000;

/** The value of `action`, or `refused` where it was refused as one of `kinds`, in words of some length. */
export async function readOr<T>(
  kinds: readonly Refusal[],
  action: () => T | Promise<T>,
): Promise<T | typeof refused> {
  try {
    return await action();
  } catch (error) {
    const kind = refusalOf(error);
    if (kind === null || !kinds.includes(kind)) throw error;
    const { message } = error as Error;
    if (message === '' || (kind !== 'graph' && message.length > LONGEST_MESSAGE)) {
      throw new Inconsistent(`a message of ${message.length} characters: ${message.slice(0, 200)}`);
    }
    return refused;
  }
}

export const refused = Symbol('refused');

function refusalOf(error: unknown): Refusal | null {
  if (error instanceof GraphError) return 'graph';
  if (error instanceof UsageError) return 'usage';
  return error instanceof RuntimeError ? error.kind : null;
}

/** Throws Inconsistent unless `condition` holds. */
export function consistent(condition: boolean, message: string | (() => string)): void {
  if (!condition) throw new Inconsistent(typeof message === 'string' ? message : message());
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const bytesOf = (text: string): Uint8Array => encoder.encode(text);
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);
