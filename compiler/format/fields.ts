// Builders of zod fields. The message of every issue is what was expected, as a phrase that follows
// "expected"; an object's message on unknown keys is the list of the keys it knows.

import { z } from 'zod';
import { LIMITS } from './limits.ts';

export { LIMITS } from './limits.ts';

/** An integer of a closed range. */
export function integer(min: number, max: number) {
  const expected = `an integer from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

/** Channels that a layer takes or gives. */
export function layerChannels(description: string) {
  return integer(1, LIMITS.channels).describe(description);
}

/** A list of integers of one range. */
export function integers(length: readonly [number, number], range: readonly [number, number]) {
  const expected = `a list of ${length[0]} to ${length[1]} integers from ${range[0]} to ${range[1]}`;
  return z
    .array(integer(...range), expected)
    .min(length[0], expected)
    .max(length[1], expected);
}

/** One of a few words. */
export function choice<const W extends readonly string[]>(words: W) {
  return z.enum(words, oneOf(words));
}

export function flag() {
  return z.boolean('true or false');
}

/** A list of objects. */
export function list<T extends z.ZodType>(item: T, max: number, noun: string) {
  const expected = `a list of 1 to ${max} ${noun}`;
  return z.array(item, expected).min(1, expected).max(max, expected);
}

/** The same, which may be empty. */
export function anyList<T extends z.ZodType>(item: T, max: number, noun: string) {
  const expected = `a list of at most ${max} ${noun}`;
  return z.array(item, expected).max(max, expected);
}

/** An object with exactly these keys. */
export function strict<S extends z.core.$ZodLooseShape>(shape: S) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? keys : 'an object'),
  });
}

/** Spatial sizes: one number for all dimensions, or one for each, slowest first. */
export function spatial() {
  const one = integer(1, LIMITS.size);
  const many = integers([1, 3], [1, LIMITS.size]);
  return z.union([one, many], `an integer from 1 to ${LIMITS.size}, or a list of one for each dimension`);
}

/** `"a", "b" or "c"`. */
export function oneOf(words: readonly (string | number)[]): string {
  const quoted = words.map((w) => JSON.stringify(w));
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
