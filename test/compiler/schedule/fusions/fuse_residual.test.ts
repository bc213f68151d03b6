import { expect, test } from 'vitest';
import { fuse_residual } from '../../../../compiler/schedule/fusions/fuse_residual.ts';
import { scheduled } from '../../../fixtures/text.ts';

const conv = `
  %0 = input() {name="x", type=f32[1,4,2]}
  %1 = param() {name="a.weight", shape=[4, 4, 1]}
  %2 = param() {name="a.bias", shape=[4]}
  %3 = conv(%0, %1, %2) {stride=[1], padding=[0]}`;

test('the convolution adds the residual, whichever operand it computes', () => {
  const second = `${conv}\n %4 = add(%0, %3)\n return output=%4`;
  const first = `${conv}\n %4 = add(%3, %0)\n return output=%4`;
  expect(scheduled(second)).toEqual(['conv  %0 -> %3', 'map  epilogue[add]  %0 -> %4']);
  for (const text of [first, second]) {
    expect(scheduled(text, fuse_residual)).toEqual(['conv  epilogue[add]  %0 -> %4']);
  }
});

test('of two convolutions, the one computed last', () => {
  const text = `${conv}
    %4 = param() {name="b.weight", shape=[4, 4, 1]}
    %5 = param() {name="b.bias", shape=[4]}
    %6 = conv(%0, %4, %5) {stride=[1], padding=[0]}
    %7 = add(%6, %3)
    return output=%7`;
  expect(scheduled(text, fuse_residual)).toEqual(['conv  %0 -> %3', 'conv  epilogue[add]  %0 -> %7']);
});

test('of two residuals one: a kernel of processors has no texture left for the other', () => {
  const text = `${conv}\n %4 = add(%3, %0)\n %5 = add(%4, %0)\n return output=%5`;
  expect(scheduled(text, fuse_residual)).toEqual([
    'conv  epilogue[add]  %0 -> %4',
    'map  epilogue[add]  %4 -> %5',
  ]);
});

test('the gradient of a norm adds those by other readers, two of them', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = input() {name="g", type=f32[1,4,2]}
    %2 = input() {name="a", type=f32[1,4,2]}
    %3 = param() {name="norm.weight", shape=[4]}
    %4 = group_norm_gradient(%0, %3, %1) {groups=2, eps=0.00001}
    %5 = add(%2, %4)
    %6 = add(%5, %0)
    %7 = add(%6, %2)
    return output=%7`;
  expect(scheduled(text, fuse_residual)).toEqual([
    'norm_gradient  epilogue[add, add]  %0 %1 -> %6',
    'map  epilogue[add]  %6 -> %7',
  ]);
});

test('a linear layer adds the label embedding', () => {
  const text = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = input() {name="y", type=u32[2]}
    %2 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %3 = param() {name="a.weight", shape=[8, 8]}
    %4 = param() {name="a.bias", shape=[8]}
    %5 = linear(%2, %3, %4)
    %6 = param() {name="label_emb.weight", shape=[5, 8]}
    %7 = embedding(%6, %1)
    %8 = add(%5, %7)
    return output=%8`;
  expect(scheduled(text, fuse_residual)).toEqual(['embedding  %1 -> %7', 'linear  epilogue[add]  %2 -> %8']);
});

test('not where the convolution is read by others or is an output', () => {
  const twice = `${conv}\n %4 = add(%0, %3)\n %5 = add(%4, %3)\n return output=%5`;
  const tapped = `${conv}\n %4 = add(%0, %3)\n return output=%4, middle=%3`;
  for (const text of [twice, tapped]) expect(scheduled(text, fuse_residual)).toEqual(scheduled(text));
});

test('not where neither operand is a product', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,4]}
    %1 = avg_pool(%0) {kernel=[2]}
    %2 = upsample_nearest(%1) {factor=[2]}
    %3 = add(%2, %0)
    return output=%3`;
  expect(scheduled(text, fuse_residual)).toEqual(scheduled(text));
});

test('a value added to itself is read twice', () => {
  const text = `${conv}\n %4 = add(%3, %3)\n return output=%4`;
  expect(scheduled(text, fuse_residual)).toEqual(scheduled(text));
});
