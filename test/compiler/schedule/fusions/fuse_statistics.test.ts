import { expect, test } from 'vitest';
import { fuse_statistics } from '../../../../compiler/schedule/fusions/fuse_statistics.ts';
import { scheduled } from '../../../fixtures/text.ts';

const normed = (producer: string) => `
  %0 = input() {name="x", type=f32[1,4,2]}
  %1 = param() {name="a.weight", shape=[4, 4, 1]}
  %2 = param() {name="a.bias", shape=[4]}
  %3 = ${producer}
  %4 = param() {name="n.weight", shape=[4]}
  %5 = param() {name="n.bias", shape=[4]}
  %6 = group_norm(%3, %4, %5) {groups=2, eps=1e-5}
  return output=%6`;

test('a convolution writes the statistics of its result', () => {
  const text = normed('conv(%0, %1, %2) {stride=[1], padding=[0]}');
  expect(scheduled(text)).toEqual([
    'conv  %0 -> %3',
    'statistics  %3 -> %3',
    'map  prologue[group_norm]  %3 -> %6',
  ]);
  expect(scheduled(text, fuse_statistics)).toEqual([
    'conv  statistics  %0 -> %3',
    'map  prologue[group_norm]  %3 -> %6',
  ]);
});

test('no other group does', () => {
  const text = normed('silu(%0)');
  expect(scheduled(text, fuse_statistics)).toEqual(scheduled(text));
  expect(scheduled(text)).toContain('statistics  %3 -> %3');
});

test('not where no norm reads the result', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = param() {name="a.weight", shape=[4, 4, 1]}
    %2 = param() {name="a.bias", shape=[4]}
    %3 = conv(%0, %1, %2) {stride=[1], padding=[0]}
    return output=%3`;
  expect(scheduled(text, fuse_statistics)).toEqual(['conv  %0 -> %3']);
});
