import { expect, test } from 'vitest';
import { fuse_skip_concat } from '../../../../compiler/schedule/fusions/fuse_skip_concat.ts';
import { scheduled } from '../../../fixtures/text.ts';

const joined = (first: number) => `
  %0 = input() {name="x", type=f32[1,${first},2]}
  %1 = param() {name="s.weight", shape=[4, ${first}, 1]}
  %2 = param() {name="s.bias", shape=[4]}
  %3 = conv(%0, %1, %2) {stride=[1], padding=[0]}
  %4 = concat(%0, %3)
  %5 = param() {name="a.weight", shape=[4, ${first + 4}, 1]}
  %6 = param() {name="a.bias", shape=[4]}
  %7 = conv(%4, %5, %6) {stride=[1], padding=[0]}`;

test('a convolution reads both values', () => {
  const text = `${joined(8)}\n return output=%7`;
  expect(scheduled(text)).toEqual(['conv  %0 -> %3', 'map  %0 %3 -> %4', 'conv  %4 -> %7']);
  expect(scheduled(text, fuse_skip_concat)).toEqual(['conv  %0 -> %3', 'conv  %0 %3 -> %7']);
});

test('so do two convolutions', () => {
  const text = `${joined(8)}
    %8 = conv(%4, %5, %6) {stride=[1], padding=[0]}
    return output=%7, middle=%8`;
  expect(scheduled(text, fuse_skip_concat)).toEqual([
    'conv  %0 -> %3',
    'conv  %0 %3 -> %7',
    'conv  %0 %3 -> %8',
  ]);
});

test('and a norm, with the statistics of each value', () => {
  const text = `${joined(8)}
    %8 = param() {name="n.weight", shape=[12]}
    %9 = param() {name="n.bias", shape=[12]}
    %10 = group_norm(%4, %8, %9) {groups=2, eps=1e-5}
    return output=%7, middle=%10`;
  expect(scheduled(text, fuse_skip_concat)).toEqual([
    'statistics  %0 -> %0',
    'conv  %0 -> %3',
    'statistics  %3 -> %3',
    'conv  %0 %3 -> %7',
    'map  prologue[group_norm]  %0 %3 -> %10',
  ]);
});

test('not where another reader needs the joined value', () => {
  const pooled = `${joined(8)}\n %8 = avg_pool(%4) {kernel=[2]}\n return output=%7, middle=%8`;
  const tapped = `${joined(8)}\n return output=%7, up.0=%4`;
  for (const text of [pooled, tapped]) expect(scheduled(text, fuse_skip_concat)).toEqual(scheduled(text));
});

test('not where the first value ends inside a quad of channels', () => {
  const text = `${joined(6)}\n return output=%7`;
  expect(scheduled(text, fuse_skip_concat)).toEqual([
    'conv  %0 -> %3',
    'gather_channels  %0 %3 -> %4',
    'conv  %4 -> %7',
  ]);
});

test('a concat of a concat is written, since no reader has three sources', () => {
  const text = `${joined(8)}
    %8 = concat(%4, %7)
    %9 = param() {name="b.weight", shape=[4, 16, 1]}
    %10 = param() {name="b.bias", shape=[4]}
    %11 = conv(%8, %9, %10) {stride=[1], padding=[0]}
    return output=%11`;
  expect(scheduled(text, fuse_skip_concat)).toEqual([
    'conv  %0 -> %3',
    'map  %0 %3 -> %4',
    'conv  %4 -> %7',
    'conv  %4 %7 -> %11',
  ]);
});
