// Schemas of the runtime: what is sound passes as it is, and every fault is named with its place.

import { describe, expect, test } from 'vitest';
import * as s from '../../runtime/schema.ts';
import { holdAgainst } from '../../runtime/schema-faults.ts';

const document = s.object({
  name: s.textLike(/^[a-z]+$/),
  size: s.list(s.whole(1), 1, 3),
  place: s.optional(s.tuple(s.number, s.flag)),
  scale: s.nullable(s.positiveNumber),
  limits: s.record(s.numberFromZero),
  kind: s.oneOf(['a', 'b']),
  begin: s.either(s.literal('zeros'), s.object({ parameter: s.text })),
  port: s.tagged('as', [
    s.object({ as: s.literal('image'), slot: s.whole(0, 7) }),
    s.object({ as: s.literal('plain') }),
  ]),
});

const sound = {
  ...{ name: 'x', size: [1, 2], scale: null, limits: { 'a/b': 0 }, kind: 'b' },
  ...{ begin: { parameter: 'w' }, port: { as: 'image', slot: 7 } },
} as const satisfies s.Infer<typeof document>;

/** The one fault of the document with some of its keys changed. */
function faultOf(change: object): string {
  const held = holdAgainst(document, { ...sound, ...change });
  expect(held.success).toBe(false);
  const faults = held.success ? [] : held.faults;
  expect(faults).toHaveLength(1);
  return faults[0]!;
}

describe('a document', () => {
  test('that is sound is given as it is', () => {
    expect(holdAgainst(document, sound)).toEqual({ success: true, data: sound });
    const others = { ...sound, place: [0.5, true], scale: 2, begin: 'zeros', port: { as: 'plain' } };
    expect(holdAgainst(document, others).success).toBe(true);
  });

  test.each([
    [{ name: 'X' }, '/name: found "X", expected a text like /^[a-z]+$/'],
    [{ size: [] }, '/size: found a list of 0, expected a list of at least 1 and of at most 3'],
    [{ size: [1, 1.5] }, '/size/1: found 1.5, expected a whole number of at least 1'],
    [{ size: [2 ** 53] }, '/size/0: found 9007199254740992, expected a whole number of at least 1'],
    [{ place: [1] }, '/place: found a list of 1, expected a list of 2'],
    [{ place: undefined }, '/place: found undefined, expected a list of 2'],
    [{ place: [1, 'x'] }, '/place/1: found "x", expected true or false'],
    [{ scale: 0 }, '/scale: found 0, expected a number above 0'],
    [{ limits: [] }, '/limits: found a list of 0, expected an object'],
    [{ limits: { 'a/~': -1 } }, '/limits/a~1~0: found -1, expected a number of at least 0'],
    [
      { limits: JSON.parse('{"__proto__":"x"}') },
      '/limits/__proto__: found "x", expected a number of at least 0',
    ],
    [{ kind: 'c' }, '/kind: found "c", expected one of a, b'],
    [{ begin: 'ones' }, '/begin: found "ones", expected "zeros", or an object of parameter'],
    [{ port: { as: 'none' } }, '/port/as: found "none", expected one of image, plain'],
    [{ port: { as: 'image', slot: 8 } }, '/port/slot: found 8, expected a whole number from 0 to 7'],
    [{ port: { as: 'image' } }, '/port/slot: it is missing, expected a whole number from 0 to 7'],
    [{ port: null }, '/port: found null, expected an object'],
    [{ more: 1 }, /^\/more: no such key, expected an object of name, size, /],
  ])('with %j is refused by place', (change, message) => {
    const fault = faultOf(change);
    if (typeof message === 'string') expect(fault).toBe(message);
    else expect(fault).toMatch(message);
  });

  test('has at most eight faults of some length', () => {
    const keys = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}`.repeat(200), i]));
    const held = holdAgainst(document, { ...sound, ...keys });
    const faults = held.success ? [] : held.faults;
    expect(faults).toHaveLength(8);
    for (const fault of faults) expect(fault.length).toBeLessThanOrEqual(301);
  });

  test('that is none is told at its root', () => {
    expect(holdAgainst(s.whole(0), 'x')).toEqual({
      success: false,
      faults: ['/: found "x", expected a whole number of at least 0'],
    });
  });
});
