// Checks what a caller of the Node API or of the runtime gave, which no type checker may have seen: options that are none
// are refused with the nearest name, and values by the name of the option. Values that other parts check are left to them.

import { UsageError } from './usage-error.ts';
import { nearestName } from './weights/nearest-name.ts';

/** What the value of an option may be. */
export interface Check {
  /** As a message says it: `true or false`. */
  readonly expected: string;
  holds(value: unknown): boolean;
}

/** Whoever reads the value checks it. */
export const CHECKED_LATER: Check = { expected: '', holds: () => true };

export const FLAG: Check = { expected: 'true or false', holds: (value) => typeof value === 'boolean' };

export const NUMBER: Check = { expected: 'a number', holds: (value) => Number.isFinite(value) };

export const CALLBACK: Check = { expected: 'a function', holds: (value) => typeof value === 'function' };

export const SIGNAL: Check = {
  expected: 'an AbortSignal',
  holds: (value) => typeof (value as AbortSignal | null)?.throwIfAborted === 'function',
};

/** A text that is not empty, such as a path. */
export function textOf(expected: string): Check {
  return { expected, holds: (value) => typeof value === 'string' && value !== '' };
}

export function oneOf(words: readonly string[]): Check {
  return { expected: `one of ${words.join(', ')}`, holds: (value) => words.includes(value as string) };
}

export function countBelow(most: number): Check {
  return {
    expected: `a whole number from 0 to ${most}`,
    holds: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most,
  };
}

/** A list of whole numbers, one at the least. */
export const WHOLE_NUMBERS: Check = {
  expected: 'a list of whole numbers, such as [0, 1]',
  holds: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((n) => Number.isSafeInteger(n) && n >= 0),
};

/**
 * Checks an object of options by the table of those that there are. Absent and undefined ones are not given.
 * @param what what messages call it: a call, such as `load`, or an option that is an object, such as `guidance`
 * @throws UsageError that names every option that is none, or the first whose value is off
 */
export function checkOptions(
  what: string,
  options: unknown,
  table: Readonly<Record<string, Check>>,
  needed: readonly string[] = [],
): void {
  if (!isPlain(options)) {
    const example = needed.length > 0 ? `{ ${needed.map((name) => `${name}: …`).join(', ')} }` : 'an object';
    throw new UsageError(`${what}: found ${shown(options)} for its options, expected ${example}`);
  }
  const known = Object.keys(table);
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw new UsageError(
      unknown.map((key) => `${what}: there is no option ${shown(key)}; ${advice(key, known)}`).join('\n'),
    );
  }
  for (const [name, check] of Object.entries(table)) {
    const value = options[name];
    if (value !== undefined) checkValue(name, value, check);
  }
  for (const name of needed) {
    if (options[name] !== undefined) continue;
    const { expected } = table[name]!;
    throw new UsageError(`${name}: ${what} needs it; give ${expected}`);
  }
}

/** Checks the value of an option. Throws UsageError that names the option. */
export function checkValue(name: string, value: unknown, { expected, holds }: Check): void {
  if (holds(value)) return;
  throw new UsageError((option) => `${option(name)}: found ${shown(value)}, expected ${expected}`);
}

/** Checks one argument. Throws UsageError that begins with its name. */
export function checkArgument(name: string, value: unknown, { expected, holds }: Check): void {
  if (!holds(value)) throw new UsageError(`${name}: found ${shown(value)}, expected ${expected}`);
}

function advice(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null ? `the options are ${known.join(', ')}` : `did you mean ${nearest}?`;
}

/** An object with keys of its own: no list, no Map. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

/** A value in a message, on one line. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a Map of ${value.size}`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
