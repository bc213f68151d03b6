// Changes of text token by token, and of JSON value by value: what comes out is mostly still text of its kind.

import { LONGEST } from './mutate-bytes.ts';
import type { Random } from './random.ts';

const NUMBERS = [
  ...[
    '0',
    '-0',
    '1',
    '-1',
    '2',
    '3',
    '7',
    '0.5',
    '1e-7',
    '1e400',
    '-1e400',
    '1e21',
    '255',
    '256',
    '4096',
    '65536',
  ],
  ...[
    '2147483647',
    '2147483648',
    '4294967296',
    '9007199254740991',
    '9007199254740993',
    '0x10',
    '1_000',
    '007',
  ],
];

const WORDS = [
  ...[
    '',
    ' ',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'length',
    'null',
    'true',
    'NaN',
    'Infinity',
  ],
  ...['..', '../x', '/', '\\', '\u0000', '\u001b[2J', '\u2028', '\ud800', 'ä', '𝒳', '%s', 'a'.repeat(300)],
];

const TOKENS = [
  ...'{}[]():,;"\'`=-+*/.#',
  '...',
  '\n',
  '\\u0000',
  '//',
  '/*',
  '*/',
  'null',
  'true',
  'false',
  '\ufeff',
];

/** A few changes of tokens: numbers, words and punctuation swapped, repeated, left out, or taken from another text. */
export function mutateText(seed: string, others: readonly string[], random: Random): string {
  let tokens = tokensOf(seed);
  const changes = 1 + (random.oneIn(3) ? random.below(6) : 0);
  for (let i = 0; i < changes; i++) tokens = changeTokens(tokens, others, random);
  return tokens.join('').slice(0, LONGEST);
}

function tokensOf(text: string): string[] {
  return text.match(/[\p{L}_$][\p{L}\p{N}_$]*|-?\d+(?:\.\d+)?|\s+|[^\p{L}\p{N}\s]/gu) ?? [];
}

function changeTokens(tokens: string[], others: readonly string[], random: Random): string[] {
  const at = random.below(tokens.length + 1);
  const length = Math.min(tokens.length - at, 1 + random.below(random.oneIn(4) ? 30 : 3));
  const [before, piece, after] = [
    tokens.slice(0, at),
    tokens.slice(at, at + length),
    tokens.slice(at + length),
  ];
  switch (random.below(7)) {
    case 0:
      return [...before, ...after];
    case 1: {
      const times = 2 + random.below(random.oneIn(8) ? 300 : 2);
      return [...before, ...Array.from({ length: times }, () => piece).flat(), ...after];
    }
    case 2:
      return [...before, random.pick(TOKENS), ...piece, ...after];
    case 3: {
      const other = tokensOf(random.pick(others));
      const from = random.below(other.length + 1);
      return [...before, ...other.slice(from, from + 1 + random.below(20)), ...after];
    }
    case 4: {
      const to = random.below(tokens.length + 1);
      return [...after.slice(0, to), ...piece, ...after.slice(to), ...before];
    }
    default: {
      // mostly what is a number stays one, and a word a word
      const changed = piece.map((token) => {
        if (/^-?\d/.test(token)) return random.pick(NUMBERS);
        return /^[\p{L}_$]/u.test(token) ? random.pick([random.pick(WORDS), random.pick(tokens)]) : token;
      });
      return [...before, ...changed, ...after];
    }
  }
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A few changes of values: left out, called otherwise, swapped with others of the same or another document. */
export function mutateJson(seed: Json, others: readonly Json[], random: Random): Json {
  let value = seed;
  const changes = 1 + (random.oneIn(3) ? random.below(5) : 0);
  for (let i = 0; i < changes; i++) value = changeValue(value, [...others, seed], random);
  return value;
}

/** Goes down to a value at random, and changes it. */
function changeValue(value: Json, others: readonly Json[], random: Random): Json {
  const deeper = typeof value === 'object' && value !== null && !random.oneIn(5);
  if (deeper && Array.isArray(value) && value.length > 0) {
    const at = random.below(value.length);
    return value.map((item, i) => (i === at ? changeValue(item, others, random) : item));
  }
  if (deeper && !Array.isArray(value) && Object.keys(value).length > 0) {
    const key = random.pick(Object.keys(value));
    return withMembers(
      Object.entries(value).map(([k, v]) => [k, k === key ? changeValue(v, others, random) : v]),
    );
  }
  if (Array.isArray(value) && random.oneIn(2)) return changeList(value, others, random);
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && random.oneIn(2)) {
    return changeMembers(value as { readonly [key: string]: Json }, others, random);
  }
  return otherValue(value, others, random);
}

function changeList(list: readonly Json[], others: readonly Json[], random: Random): Json {
  const at = random.below(list.length + 1);
  switch (random.below(4)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return list.toSpliced(
        at,
        0,
        ...(list[at] === undefined ? [] : [list[at]]),
        otherValue(null, others, random),
      );
    case 2:
      return list.toReversed();
    default:
      return random.oneIn(20) ? Array.from({ length: 2000 }, () => list[0] ?? null) : [...list, ...list];
  }
}

function changeMembers(
  members: { readonly [key: string]: Json },
  others: readonly Json[],
  random: Random,
): Json {
  const entries = Object.entries(members);
  const at = random.below(entries.length + 1);
  const word = random.pick([random.pick(WORDS), random.pick(keysOf(random.pick(others)))]);
  switch (random.below(3)) {
    case 0:
      return withMembers(entries.toSpliced(at, 1));
    case 1:
      return withMembers([...entries, [word, otherValue(null, others, random)]]);
    default:
      return withMembers(entries.map(([key, value], i) => (i === at ? [word, value] : [key, value])));
  }
}

/** A key such as `__proto__` is data too. */
function withMembers(entries: readonly (readonly [string, Json])[]): Json {
  const members: Record<string, Json> = Object.create(null);
  for (const [key, value] of entries) members[key] = value;
  return members;
}

function otherValue(value: Json, others: readonly Json[], random: Random): Json {
  switch (random.below(8)) {
    case 0:
      return random.pick(WORDS);
    case 1:
      return random.pick<Json>([null, true, false, [], {}]);
    case 2:
      return valueIn(random.pick(others), random);
    case 3:
      return nested(value, random.oneIn(10) ? 3000 : 1 + random.below(3));
    default: {
      if (typeof value === 'string') return random.pick(WORDS);
      const number = Number(random.pick(NUMBERS));
      if (typeof value === 'number' && random.oneIn(2)) return value + random.pick([-1, 1, 0.5, value]);
      return Number.isFinite(number) ? number : 1e308;
    }
  }
}

function nested(value: Json, depth: number): Json {
  let around = value;
  for (let i = 0; i < depth; i++) around = i % 2 === 0 ? [around] : { a: around };
  return around;
}

/** Some value inside a document. */
function valueIn(value: Json, random: Random): Json {
  if (typeof value !== 'object' || value === null || random.oneIn(4)) return value;
  const inside = Object.values(value);
  return inside.length === 0 ? value : valueIn(random.pick(inside), random);
}

function keysOf(value: Json): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ['a'];
  const keys = Object.keys(value);
  return keys.length === 0 ? ['a'] : keys;
}

/** JSON text; where it nests too deep for the writer, something that nests as deep. */
export function textOfJson(value: Json, random: Random): string {
  let text: string;
  try {
    text = JSON.stringify(value, null, random.pick([0, 1, 2])) ?? 'null';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    text = '['.repeat(LONGEST);
  }
  return text.slice(0, LONGEST);
}
