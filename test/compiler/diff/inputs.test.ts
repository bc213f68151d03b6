// Inputs beside x, timesteps, y and low_res: no layer has one yet, so that lists of ports are made up.

import { expect, test } from 'vitest';
import { compareInputs } from '../../../compiler/diff/inputs.ts';
import type { InputSpec } from '../../../runtime/bundle.ts';

const x: InputSpec = { name: 'x', encoding: 'image', dtype: 'f32', shape: [1, 3, 8, 8] };
const label = (name: string, classes: number): InputSpec => ({
  name,
  encoding: 'label',
  dtype: 'u32',
  shape: [1],
  classes,
});
const plain: InputSpec = { name: 'scale', encoding: 'plain', dtype: 'f32', shape: [1, 4] };

test('a second label has to be given now', () => {
  expect(compareInputs([x, label('y', 10)], [x, label('y', 10), label('style', 5)])).toEqual([
    {
      rule: 'interface/inputs',
      change: '+',
      place: 'style',
      before: null,
      after: 'a label of 5 classes',
      message: 'an input style has to be given now',
    },
  ]);
});

test('one that is gone, and one of another kind', () => {
  const found = compareInputs([plain, label('style', 5)], [label('scale', 2)]);
  expect(found.map(({ change, place, before, after }) => [change, place, before, after])).toEqual([
    ['~', 'scale', 'plain f32 [batch, 4]', 'a label of 2 classes'],
    ['-', 'style', 'a label of 5 classes', null],
  ]);
});

test('what rules of their own tell is not told twice', () => {
  expect(compareInputs([x], [{ ...x, shape: [1, 4, 8, 8] }, label('y', 3)])).toEqual([]);
});
