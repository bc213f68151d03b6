// Functions of one expression: spelled once, written out where they are called.

import { expect, test } from 'vitest';
import { inlineFunctions, writeOutInline } from '../../../compiler/codegen/wgsl/inline.ts';
import { InternalError } from '../../../compiler/diagnostics.ts';

const FUNCTIONS = inlineFunctions(`// inline: a place
fn place(row: u32, width: u32, column: u32) -> u32 {
  return (row * width + column) * 2u;
}
`);

const STAND_IN = `// inline: a place
fn place(row: u32, width: u32, column: u32) -> u32 {
  return 0u;
}

`;

const writtenOut = (line: string) => writeOutInline(`${STAND_IN}${line}\n`, FUNCTIONS);

test('a stand-in goes, and its calls become the expression', () => {
  expect(writtenOut('let at = place(y, sizes.width, x);')).toBe('let at = (y * sizes.width + x) * 2u;\n');
});

test('a factor with an operator in it gets parentheses, another operand needs none', () => {
  expect(writtenOut('f(place(y + 1u, max(a, b), x / 4u));')).toBe(
    'f(((y + 1u) * (max(a, b)) + x / 4u) * 2u);\n',
  );
});

test('arguments that are called as parameters are stay apart', () => {
  expect(writtenOut('place(column, row, width) + place(1u, 2u, 3u)')).toBe(
    '(column * row + width) * 2u + (1u * 2u + 3u) * 2u\n',
  );
});

test.each([
  ['too few arguments', 'place(1u, 2u)', 'is called with (1u, 2u)'],
  ['a call that does not end', 'place(1u, (2u', 'a call that does not end'],
])('%s', (_, line, message) => {
  expect(() => writtenOut(line)).toThrow(message);
});

test('a stand-in with other parameters, and one of no function', () => {
  const other = STAND_IN.replace('column: u32', 'column: i32');
  expect(() => writeOutInline(other, FUNCTIONS)).toThrow(InternalError);
  expect(() => writeOutInline(STAND_IN.replace('fn place', 'fn space'), FUNCTIONS)).toThrow(
    'there is no inline function fn space(row: u32, width: u32, column: u32) -> u32',
  );
});

test('a function of more than one expression is none', () => {
  const text = '// inline: two lines\nfn two(a: u32) -> u32 {\n  let b = a;\n  return b;\n}\n';
  expect(() => inlineFunctions(text)).toThrow('two is no function of one expression');
});
