import { expect, test } from 'vitest';
import { fuse_time_add } from '../../../../compiler/schedule/fusions/fuse_time_add.ts';
import { scheduled } from '../../../fixtures/text.ts';

const block = `
  %0 = input() {name="x", type=f32[1,4,2]}
  %1 = input() {name="timesteps", type=f32[1]}
  %2 = timestep_embedding(%1) {dim=8, max_period=10000, order="cos_sin", shift=0}
  %3 = slice(%2) {start=4, end=8}
  %4 = param() {name="a.weight", shape=[4, 4, 1]}
  %5 = param() {name="a.bias", shape=[4]}
  %6 = conv(%0, %4, %5) {stride=[1], padding=[0]}
  %7 = channel_add(%6, %3)`;

test('the convolution adds its slice of the time projections', () => {
  const text = `${block}\n return output=%7`;
  expect(scheduled(text)).toEqual(['conv  %0 -> %6', 'map  epilogue[channel_add]  %6 -> %7']);
  expect(scheduled(text, fuse_time_add)).toEqual(['conv  epilogue[channel_add]  %0 -> %7']);
});

test('not where the convolution is read by others or is an output', () => {
  const twice = `${block}\n %8 = add(%7, %6)\n return output=%8`;
  const tapped = `${block}\n return output=%7, middle=%6`;
  for (const text of [twice, tapped]) expect(scheduled(text, fuse_time_add)).toEqual(scheduled(text));
});

test('not behind anything but a convolution', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = input() {name="timesteps", type=f32[1]}
    %2 = timestep_embedding(%1) {dim=4, max_period=10000, order="cos_sin", shift=0}
    %3 = silu(%0)
    %4 = channel_add(%3, %2)
    return output=%4`;
  expect(scheduled(text, fuse_time_add)).toEqual(scheduled(text));
});
