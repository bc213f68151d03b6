// Reads the values of options that several commands take. What is wrong with a word is a UsageError (exit 2).

import { LIMITS } from '../compiler/format/limits.ts';
import { UsageError } from '../engine/errors.ts';
import { parseNumbers } from '../engine/jobs/ranges.ts';

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

/** `--seed`: one whole number. */
export function parseSeed(text: string, option = '--seed'): number {
  const seeds = parseSeeds(text, option);
  const [seed] = seeds;
  if (seed !== undefined && seeds.length === 1) return seed;
  throw new UsageError(`${option}: found '${text}', expected one whole number, such as 0`);
}

/** A whole number from 1 to `most`; `others` says in a message what else is taken. */
export function parseCount(text: string, option: string, most: number, others = ''): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(`${option}: found '${text}', expected a whole number from 1 to ${most}${others}`);
}

const LARGEST_CLASS = 1_000_000;

/** The label of a class. */
export function parseLabel(text: string, option: string): number {
  const label = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (label <= LARGEST_CLASS) return label;
  throw new UsageError(`${option}: found '${text}', expected a class label, such as 10`);
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

/** The value of `--size`: `64x96`, slowest dimension first; one number stands for all dimensions. */
export function parseSize(text: string): readonly number[] {
  if (!/^\d{1,6}(x\d{1,6}){0,2}$/.test(text)) {
    throw new UsageError(`--size: found '${text}', expected sizes such as 64x96 (height x width) or 64`);
  }
  const size = text.split('x').map(Number);
  const wrong = size.find((n) => n < 1 || n > LIMITS.size);
  if (wrong !== undefined)
    throw new UsageError(`--size: found ${wrong}, expected sizes from 1 to ${LIMITS.size}`);
  return size;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `600MB`, `1.5 GiB` or a plain number of bytes. Throws UsageError that names the option. */
export function parseBytes(text: string, option: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const scale = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()]! : Number.NaN;
  const bytes = Math.floor(Number(number) * scale);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new UsageError(`${option}: found '${text}', expected bytes such as 600MB, 1.5GB or 512MiB`);
}
