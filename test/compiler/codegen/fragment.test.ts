// Fragments: what is taken out of their files.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filledHooks, takeFragment } from '../../../compiler/codegen/wgsl/fragment.ts';
import { inlineFunctions } from '../../../compiler/codegen/wgsl/inline.ts';
import { STATISTICS_VECTORS } from '../../../compiler/schedule/statistics-layout.ts';

const FRAGMENT = `// A fragment.

const TILE = 64u;
const EPSILON = 0.5;

fn given(x: f32) -> f32 {
  return x;
}

// linked:

var<private> seen: f32;

// fills: the end of a tile
fn finish(tile: u32) {
  if (tile < TILE) {
    seen += EPSILON;
  }
}

// twice as much
fn twice(x: f32) -> f32 {
  return given(2.0 * x);
}
`;

test('bodies of hooks, and what is added to the kernel', () => {
  expect(takeFragment(FRAGMENT, {})).toEqual({
    hooks: { finish: ['if (tile < TILE) {', '  seen += EPSILON;', '}'] },
    functions: [
      'var<private> seen: f32;',
      '',
      '// twice as much',
      'fn twice(x: f32) -> f32 {',
      '  return given(2.0 * x);',
      '}',
    ],
  });
  expect(filledHooks(FRAGMENT)).toEqual(['fn finish(tile: u32) {']);
});

test('constants that are given are written out as the fragment writes them', () => {
  const { hooks } = takeFragment(FRAGMENT, { TILE: 32, EPSILON: 1e-7 });
  expect(hooks.finish).toEqual(['if (tile < 32u) {', '  seen += 1e-7;', '}']);
});

test('a constant that is not there, and a file that says not what is taken', () => {
  expect(() => takeFragment(FRAGMENT, { TILES: 1 })).toThrow('the fragment has no constant TILES');
  expect(() => takeFragment('fn f() {}\n', {})).toThrow('a fragment without one `// linked:`');
});

test('statistics take as many vectors in memory as in kernels', () => {
  const file = new URL('../../../compiler/codegen/kernels/fragments/statistics_layout.wgsl', import.meta.url);
  const functions = inlineFunctions(readFileSync(file, 'utf8'));
  const vectors = [...functions].map(([name, { expression }]) => [name, / \* (\d)u$/.exec(expression)?.[1]]);
  const { plain, counted } = STATISTICS_VECTORS;
  expect(Object.fromEntries(vectors)).toEqual({
    statistics_at: String(plain),
    counted_statistics_at: String(counted),
    merged_statistics_at: String(plain),
  });
});
