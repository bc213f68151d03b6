import { expect, test } from 'vitest';
import { fuse_nearest_upsample } from '../../../../compiler/schedule/fusions/fuse_nearest_upsample.ts';
import { scheduled } from '../../../fixtures/text.ts';

const upsample = `
  %0 = input() {name="x", type=f32[1,4,2,3]}
  %1 = upsample_nearest(%0) {factor=[2, 2]}
  %2 = param() {name="a.weight", shape=[4, 4, 3, 3]}
  %3 = param() {name="a.bias", shape=[4]}
  %4 = conv(%1, %2, %3) {stride=[1, 1], padding=[1, 1]}`;

test('the convolution reads the small image', () => {
  const text = `${upsample}\n return output=%4`;
  expect(scheduled(text)).toEqual(['map  upsample[2x2]  %0 -> %1', 'conv  %1 -> %4']);
  expect(scheduled(text, fuse_nearest_upsample)).toEqual(['conv  upsample[2x2]  %0 -> %4']);
});

test('not where the large image is read by others', () => {
  const text = `${upsample}\n %5 = add(%4, %1)\n return output=%5`;
  expect(scheduled(text, fuse_nearest_upsample)).toEqual(scheduled(text));
});

test('not where the large image is an output', () => {
  const text = `${upsample}\n return output=%4, up.0=%1`;
  expect(scheduled(text, fuse_nearest_upsample)).toEqual(scheduled(text));
});

test('not in front of anything but a convolution', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = upsample_nearest(%0) {factor=[2]}
    %2 = silu(%1)
    %3 = upsample_nearest(%2) {factor=[2]}
    %4 = param() {name="a.weight", shape=[4, 4, 4]}
    %5 = param() {name="a.bias", shape=[4]}
    %6 = conv_transpose(%3, %4, %5) {stride=[2], padding=[1], output_padding=[0]}
    return output=%6`;
  expect(scheduled(text, fuse_nearest_upsample)).toEqual(scheduled(text));
});

test('one of two that follow each other', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = upsample_nearest(%0) {factor=[2]}
    %2 = upsample_nearest(%1) {factor=[2]}
    %3 = param() {name="a.weight", shape=[4, 4, 1]}
    %4 = param() {name="a.bias", shape=[4]}
    %5 = conv(%2, %3, %4) {stride=[1], padding=[0]}
    return output=%5`;
  expect(scheduled(text, fuse_nearest_upsample)).toEqual([
    'map  upsample[2]  %0 -> %1',
    'conv  upsample[2]  %1 -> %5',
  ]);
});
