import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duplicateKey } from '../../../runtime/weights/duplicate-key.ts';

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":"a"}]}', null],
  ['{"x":[1,2,"x","x"],"y":"x"}', null],
  ['{"o":{"k":[],"k":{}}}', 'k'],
  ['{"a\\"b":1, "a\\u0022b" : 2}', 'a"b'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{"a":"}","a\\\\":"{\\"a\\":1"}', null],
  ['[]', null],
  ['"a"', null],
])('%s', (text, expected) => {
  expect(duplicateKey(text)).toBe(expected);
});

test('what JSON.stringify writes never has one', () => {
  fc.assert(fc.property(fc.json(), (text) => duplicateKey(JSON.stringify(JSON.parse(text))) === null));
});
