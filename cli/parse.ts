// Reads the values of options that several commands take. What is wrong with a word is a UsageError (exit 2).

import { UsageError } from './context.ts';

/** The most numbers that one list may name: a typing slip such as 0-99999999999 must not fill the memory. */
const LONGEST_LIST = 1_000_000;

const EXAMPLES = 'write numbers and ranges, such as 3, 0-15 or 1,5,9-12';

/** `--seeds`: distinct seeds in the order they are named. */
export function parseSeeds(text: string, option = '--seeds'): readonly number[] {
  const seeds = parseNumbers(text, option);
  const seen = new Set<number>();
  for (const seed of seeds) {
    if (seen.has(seed)) throw new UsageError(`${option}: ${seed} is named twice; each seed makes one sample`);
    seen.add(seed);
  }
  return seeds;
}

/** Whole numbers and ranges with both ends included, `1,5,9-12`, in the order they are named; repeats are kept. */
export function parseNumbers(text: string, option: string): readonly number[] {
  const numbers: number[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    const [first, last] = parseRange(part, text, option);
    if (numbers.length + last - first >= LONGEST_LIST) {
      throw new UsageError(`${option}: '${text}' names more than ${LONGEST_LIST} numbers; split the run`);
    }
    for (let n = first; n <= last; n++) numbers.push(n);
  }
  return numbers;
}

function parseRange(part: string, text: string, option: string): readonly [number, number] {
  const found = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(part);
  if (found === null) {
    const what = part === '' ? `an empty part in '${text}'` : `'${part}'`;
    throw new UsageError(`${option}: found ${what}; ${EXAMPLES}`);
  }
  const first = Number(found[1]);
  const last = found[2] === undefined ? first : Number(found[2]);
  for (const end of [first, last]) {
    if (!Number.isSafeInteger(end)) {
      throw new UsageError(`${option}: '${part}' is too large; the largest is ${Number.MAX_SAFE_INTEGER}`);
    }
  }
  if (last < first) throw new UsageError(`${option}: '${part}' runs backwards; write ${last}-${first}`);
  return [first, last];
}

/** A whole number from 1 to `most`. */
export function parseCount(text: string, option: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(`${option}: found '${text}', expected a whole number from 1 to ${most}`);
}

/** A finite number of at least 0, in decimal. */
export function parseAmount(text: string, option: string): number {
  const value = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new UsageError(`${option}: found '${text}', expected a number of at least 0, such as 0.5`);
}

/** One of `choices`. */
export function parseChoice<T extends string>(text: string, option: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option}: found '${text}', expected ${choices.join(' or ')}`);
}
