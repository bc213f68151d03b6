import { expect, test } from 'vitest';
import { fuse_residual } from '../../../../compiler/schedule/fusions/fuse_residual.ts';
import { fuse_skip_conv } from '../../../../compiler/schedule/fusions/fuse_skip_conv.ts';
import { scheduled } from '../../../fixtures/text.ts';

/** No convolution is computed by Winograd's algorithm. */
const byTaps = () => ({ winograd: null, tile: { m: 64, n: 64 }, slices: 1, reason: null });

interface Skip {
  readonly kernel?: number;
  readonly stride?: number;
  readonly rest?: string;
}

/** A skip convolution and a main one, both of x, and their sum %7. */
function block({ kernel = 1, stride = 1, rest = '' }: Skip = {}): string {
  const size = Math.ceil(6 / stride);
  return `
    %0 = input() {name="x", type=f32[1,4,6]}
    %1 = param() {name="skip.weight", shape=[4, 4, ${kernel}]}
    %2 = param() {name="skip.bias", shape=[4]}
    %3 = conv(%0, %1, %2) {stride=[${stride}], padding=[${(kernel - 1) / 2}]} : f32[1,4,${size}]
    %4 = param() {name="a.weight", shape=[4, 4, 3]}
    %5 = param() {name="a.bias", shape=[4]}
    %6 = conv(%0, %4, %5) {stride=[${stride}], padding=[1]}
    %7 = add(%3, %6)
    ${rest || 'return output=%7'}`;
}

const fusions = [fuse_residual, fuse_skip_conv(byTaps)];

test('a 1x1 convolution that is added is summed into the product', () => {
  expect(scheduled(block(), fuse_residual)).toEqual(['conv  %0 -> %3', 'conv  epilogue[add]  %0 -> %7']);
  expect(scheduled(block(), ...fusions)).toEqual(['conv  skip[conv %0]  %0 -> %7']);
});

test('not a larger kernel, nor a stride', () => {
  for (const text of [block({ kernel: 3 }), block({ stride: 2 })]) {
    expect(scheduled(text, ...fusions)).toEqual(scheduled(text, fuse_residual));
  }
});

test('not where the skip is read by others or is an output', () => {
  const twice = block({ rest: '%8 = add(%7, %3)\n return output=%8' });
  const tapped = block({ rest: 'return output=%7, middle=%3' });
  for (const text of [twice, tapped]) {
    expect(scheduled(text, ...fusions).join()).not.toContain('skip');
  }
});

test('not where the operand of the add is no convolution', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,6]}
    %1 = silu(%0)
    %2 = param() {name="a.weight", shape=[4, 4, 3]}
    %3 = param() {name="a.bias", shape=[4]}
    %4 = conv(%0, %2, %3) {stride=[1], padding=[1]}
    %5 = add(%1, %4)
    return output=%5`;
  expect(scheduled(text, ...fusions)).toEqual([
    'map  prologue[silu]  %0 -> %1',
    'conv  epilogue[add]  %0 -> %5',
  ]);
});

test('not into a transposed convolution', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,3]}
    %1 = upsample_nearest(%0) {factor=[2]}
    %2 = param() {name="skip.weight", shape=[4, 4, 1]}
    %3 = param() {name="skip.bias", shape=[4]}
    %4 = conv(%1, %2, %3) {stride=[1], padding=[0]}
    %5 = param() {name="up.weight", shape=[4, 4, 4]}
    %6 = param() {name="up.bias", shape=[4]}
    %7 = conv_transpose(%0, %5, %6) {stride=[2], padding=[1], output_padding=[0]}
    %8 = add(%4, %7)
    return output=%8`;
  expect(scheduled(text, ...fusions)).toEqual([
    'map  upsample[2]  %0 -> %1',
    'conv  %1 -> %4',
    'conv_transpose  epilogue[add]  %0 -> %8',
  ]);
});
