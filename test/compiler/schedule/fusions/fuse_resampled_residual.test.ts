import { expect, test } from 'vitest';
import { fuse_resampled_residual } from '../../../../compiler/schedule/fusions/fuse_resampled_residual.ts';
import { fuse_residual } from '../../../../compiler/schedule/fusions/fuse_residual.ts';
import { scheduled } from '../../../fixtures/text.ts';

const conv = (from: string, shape: string) => `
  %0 = input() {name="x", type=f32[1,4,${shape}]}
  %1 = ${from}
  %2 = param() {name="a.weight", shape=[4, 4, 1, 1]}
  %3 = param() {name="a.bias", shape=[4]}
  %4 = input() {name="low_res", type=f32[1,4,2,2]}
  %5 = conv(%4, %2, %3) {stride=[1, 1], padding=[0, 0]}`;

const pooled = conv('avg_pool(%0) {kernel=[2, 2]}', '4,4');
const repeated = conv('upsample_nearest(%0) {factor=[2, 2]}', '1,1');

test('the convolution pools or repeats the residual as it reads it', () => {
  const added = '\n %6 = add(%1, %5)\n return output=%6';
  expect(scheduled(`${pooled}${added}`, fuse_residual, fuse_resampled_residual)).toEqual([
    'conv  epilogue[avg_pool add]  %4 -> %6',
  ]);
  expect(scheduled(`${repeated}${added}`, fuse_residual, fuse_resampled_residual)).toEqual([
    'conv  epilogue[upsample_nearest add]  %4 -> %6',
  ]);
});

test('not where the resampled image is read by others or is an output', () => {
  const tapped = `${pooled}\n %6 = add(%1, %5)\n return output=%6, down.0=%1`;
  const twice = `${pooled}\n %6 = add(%1, %5)\n %7 = add(%6, %1)\n return output=%7`;
  for (const text of [tapped, twice]) {
    expect(scheduled(text, fuse_residual, fuse_resampled_residual)).toContain('avg_pool  %0 -> %1');
  }
});

test('not where pooling leaves pixels out, for then the size of the residual is not known from that of the result', () => {
  const text = `${conv('avg_pool(%0) {kernel=[2, 2]}', '5,4')}\n %6 = add(%1, %5)\n return output=%6`;
  expect(scheduled(text, fuse_residual, fuse_resampled_residual)).toEqual(scheduled(text, fuse_residual));
});

test('not where the result is written in another shape', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,1,1]}
    %1 = upsample_nearest(%0) {factor=[2, 2]}
    %2 = reshape(%1) {shape=[1, 4, 4]}
    %3 = param() {name="a.weight", shape=[4, 4, 1]}
    %4 = param() {name="a.bias", shape=[4]}
    %5 = input() {name="low_res", type=f32[1,4,4]}
    %6 = conv(%5, %3, %4) {stride=[1], padding=[0]}
    %7 = add(%2, %6)
    return output=%7`;
  expect(scheduled(text, fuse_residual, fuse_resampled_residual)).toEqual(scheduled(text, fuse_residual));
});
