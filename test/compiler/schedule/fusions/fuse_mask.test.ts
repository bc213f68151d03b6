import { expect, test } from 'vitest';
import { fuse_mask } from '../../../../compiler/schedule/fusions/fuse_mask.ts';
import { fuse_norm_prologue } from '../../../../compiler/schedule/fusions/fuse_norm_prologue.ts';
import { fuse_residual } from '../../../../compiler/schedule/fusions/fuse_residual.ts';
import { fuse_skip_conv } from '../../../../compiler/schedule/fusions/fuse_skip_conv.ts';
import { scheduled } from '../../../fixtures/text.ts';

/** No convolution is computed by Winograd's algorithm. */
const byTaps = () => ({ winograd: null, tile: { m: 64, n: 64 }, slices: 1, reason: null });

const start = `
  %0 = input() {name="x", type=f32[1,4,6]}
  %1 = input() {name="dropout", type=u32[1,4]}
  %2 = dropout_mask(%1) {p=0.5, block=0, size=[4, 6]}
  %3 = param() {name="a.weight", shape=[4, 4, 3]}
  %4 = param() {name="a.bias", shape=[4]}`;

test('a mask behind a convolution is applied as it stores', () => {
  const text = `${start}
    %5 = conv(%0, %3, %4) {stride=[1], padding=[1]}
    %6 = apply_mask(%5, %2) {factor=2}
    return output=%6`;
  expect(scheduled(text)).toEqual([
    'dropout_mask  %1 -> %2',
    'conv  %0 -> %5',
    'map  prologue[apply_mask]  %5 -> %6',
  ]);
  expect(scheduled(text, fuse_mask)).toEqual([
    'dropout_mask  %1 -> %2',
    'conv  epilogue[apply_mask]  %0 -> %6',
  ]);
});

test('not where what it is applied to has other readers', () => {
  const text = `${start}
    %5 = conv(%0, %3, %4) {stride=[1], padding=[1]}
    %6 = apply_mask(%5, %2) {factor=2}
    %7 = add(%6, %5)
    return output=%7`;
  expect(scheduled(text, fuse_mask)).toEqual(scheduled(text));
});

test('a kernel reads one mask: a convolution that stores with one loads without', () => {
  const text = `${start}
    %5 = silu(%0)
    %6 = apply_mask(%5, %2) {factor=2}
    %7 = conv(%6, %3, %4) {stride=[1], padding=[1]}
    %8 = dropout_mask(%1) {p=0.5, block=1, size=[4, 6]}
    %9 = apply_mask(%7, %8) {factor=2}
    return output=%9`;
  expect(scheduled(text, fuse_norm_prologue).slice(0, 2)).toEqual([
    'dropout_mask  %1 -> %2',
    'conv  prologue[silu, apply_mask]  %0 -> %7',
  ]);
  expect(scheduled(text, fuse_norm_prologue, fuse_mask)).toEqual(scheduled(text, fuse_norm_prologue));
  expect(scheduled(text, fuse_mask, fuse_norm_prologue)).toEqual([
    'dropout_mask  %1 -> %2',
    'map  prologue[silu]  %0 -> %5',
    'map  prologue[apply_mask]  %5 -> %6',
    'dropout_mask  %1 -> %8',
    'conv  epilogue[apply_mask]  %6 -> %9',
  ]);
});

test('a skip convolution of a concat is not summed where a mask is loaded: there are too many buffers', () => {
  const block = (skip: string) => `${start}
    %5 = concat(%0, %0)
    %6 = param() {name="skip.weight", shape=[4, ${skip === '%5' ? 8 : 4}, 1]}
    %7 = conv(${skip}, %6, %4) {stride=[1], padding=[0]}
    %8 = apply_mask(%0, %2) {factor=2}
    %9 = conv(%8, %3, %4) {stride=[1], padding=[1]}
    %10 = add(%9, %7)
    return output=%10`;
  const fusions = [fuse_residual, fuse_skip_conv(byTaps), fuse_norm_prologue];
  expect(scheduled(block('%0'), ...fusions).at(-1)).toBe(
    'conv  prologue[apply_mask]  skip[conv %0]  %0 -> %10',
  );
  expect(scheduled(block('%5'), ...fusions).slice(-2)).toEqual([
    'conv  %5 -> %7',
    'conv  prologue[apply_mask]  epilogue[add]  %0 -> %10',
  ]);
});
