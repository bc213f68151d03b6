import { expect, test } from 'vitest';
import { fuse_activation } from '../../../../compiler/schedule/fusions/fuse_activation.ts';
import { scheduled } from '../../../fixtures/text.ts';

const linear = `
  %0 = input() {name="timesteps", type=f32[2]}
  %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
  %2 = param() {name="a.weight", shape=[8, 8]}
  %3 = param() {name="a.bias", shape=[8]}
  %4 = linear(%1, %2, %3)
  %5 = silu(%4)`;

test('a silu behind a linear layer is applied by it', () => {
  const text = `${linear}\n return output=%5`;
  expect(scheduled(text)).toEqual(['linear  %1 -> %4', 'map  prologue[silu]  %4 -> %5']);
  expect(scheduled(text, fuse_activation)).toEqual(['linear  epilogue[silu]  %1 -> %5']);
});

test('not where the layer is read by others', () => {
  const text = `${linear}\n %6 = add(%5, %4)\n return output=%6`;
  expect(scheduled(text, fuse_activation)).toEqual(scheduled(text));
});

test('not where the layer itself is an output', () => {
  const text = `${linear}\n return output=%5, middle=%4`;
  expect(scheduled(text, fuse_activation)).toEqual(scheduled(text));
});

test('not behind a convolution', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = param() {name="a.weight", shape=[4, 4, 1]}
    %2 = param() {name="a.bias", shape=[4]}
    %3 = conv(%0, %1, %2) {stride=[1], padding=[0]}
    %4 = silu(%3)
    return output=%4`;
  expect(scheduled(text, fuse_activation)).toEqual(['conv  %0 -> %3', 'map  prologue[silu]  %3 -> %4']);
});
