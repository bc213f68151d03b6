// Inputs as ports: their encodings follow from the ops that read them, whatever their names are.

import { expect, test } from 'vitest';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { portsOf } from '../../../compiler/opgraph/ports.ts';

const ports = (text: string) => portsOf(parseOpGraph(text)).map(({ spec, value }) => ({ value, ...spec }));

test('images, timesteps, labels, and what is neither', () => {
  const text = `
    %0 = input() {name="picture", type=f32[2,3,8,8]}
    %1 = input() {name="when", type=f32[2]}
    %2 = timestep_embedding(%1) {dim=32, max_period=10000, order="cos_sin", shift=0}
    %3 = input() {name="z", type=u32[2]}
    %4 = param() {name="table", shape=[10, 32]}
    %5 = embedding(%4, %3)
    %6 = param() {name="shorter", shape=[7, 32]}
    %7 = embedding(%6, %3)
    %8 = input() {name="key", type=u32[2]}
    %9 = input() {name="weight", type=f32[2]}
    %10 = input() {name="vector", type=f16[2,5]}
    %11 = input() {name="words", type=u32[2,4]}
    %12 = dropout_mask(%11) {p=0.5, block=0, size=[3, 8, 8]}
    return output=%0
  `;
  expect(ports(text)).toEqual([
    { value: 0, name: 'picture', encoding: 'image', dtype: 'f32', shape: [2, 3, 8, 8] },
    {
      ...{ value: 2, name: 'when', encoding: 'timestep', dtype: 'f32', shape: [2] },
      ...{ dim: 32, max_period: 10000, order: 'cos_sin', shift: 0 },
    },
    { value: 3, name: 'z', encoding: 'label', dtype: 'u32', shape: [2], classes: 7 },
    { value: 8, name: 'key', encoding: 'plain', dtype: 'u32', shape: [2] },
    { value: 9, name: 'weight', encoding: 'plain', dtype: 'f32', shape: [2] },
    { value: 10, name: 'vector', encoding: 'image', dtype: 'f16', shape: [2, 5] },
    { value: 11, name: 'words', encoding: 'plain', dtype: 'u32', shape: [2, 4] },
  ]);
});

test('timesteps that are embedded on the host are read by nothing else', () => {
  const text = `
    %0 = input() {name="t", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = add(%0, %0)
    return output=%2
  `;
  expect(() => ports(text)).toThrow('input t is embedded on the host, and %2 reads it as well');
});

test.each([
  ['%0 = input() {name="__proto__", type=f32[2]}', '"__proto__" is no name of an input'],
  ['%0 = input() {name="x", type=f32[]}', 'x has no sizes'],
  [
    '%0 = input() {name="y", type=u32[2,3,4]}',
    'y cannot be u32[2,3,4]: whole numbers are one or a row a sample',
  ],
])('%s is refused', (line, message) => {
  expect(() => parseOpGraph(`${line}\nreturn output=%0`)).toThrow(message);
});
