import { expect, test } from 'vitest';
import { fuse_nearest_upsample } from '../../../../compiler/schedule/fusions/fuse_nearest_upsample.ts';
import { fuse_norm_prologue } from '../../../../compiler/schedule/fusions/fuse_norm_prologue.ts';
import { scheduled } from '../../../fixtures/text.ts';

const block = `
  %0 = input() {name="x", type=f32[1,4,2]}
  %1 = input() {name="timesteps", type=f32[1]}
  %2 = timestep_embedding(%1) {dim=8, max_period=10000, order="cos_sin", shift=0}
  %3 = param() {name="n.weight", shape=[4]}
  %4 = param() {name="n.bias", shape=[4]}
  %5 = group_norm(%0, %3, %4) {groups=2, eps=1e-5}
  %6 = film(%5, %2)
  %7 = silu(%6)
  %8 = param() {name="a.weight", shape=[4, 4, 1]}
  %9 = param() {name="a.bias", shape=[4]}
  %10 = conv(%7, %8, %9) {stride=[1], padding=[0]}`;

test('the convolution normalises what it loads', () => {
  const text = `${block}\n return output=%10`;
  expect(scheduled(text, fuse_norm_prologue)).toEqual([
    'statistics  %0 -> %0',
    'conv  prologue[group_norm, film, silu]  %0 -> %10',
  ]);
});

test('from the last value on that is an output or read twice', () => {
  const tapped = `${block}\n return output=%10, middle=%6`;
  const twice = `${block}\n %11 = add(%10, %6)\n return output=%11`;
  for (const text of [tapped, twice]) {
    expect(scheduled(text, fuse_norm_prologue).slice(1, 4)).toEqual([
      'map  prologue[group_norm]  %0 -> %5',
      'map  prologue[film]  %5 -> %6',
      'conv  prologue[silu]  %6 -> %10',
    ]);
  }
});

test('through the reshape in front of an attention', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2,3]}
    %1 = reshape(%0) {shape=[1, 4, 6]}
    %2 = param() {name="n.weight", shape=[4]}
    %3 = param() {name="n.bias", shape=[4]}
    %4 = group_norm(%1, %2, %3) {groups=2, eps=1e-5}
    %5 = param() {name="a.weight", shape=[12, 4, 1]}
    %6 = param() {name="a.bias", shape=[12]}
    %7 = conv(%4, %5, %6) {stride=[1], padding=[0]}
    return output=%7`;
  expect(scheduled(text, fuse_norm_prologue)).toEqual([
    'statistics  %0 -> %0',
    'conv  prologue[group_norm]  %0 -> %7',
  ]);
});

test('also where the convolution repeats the pixels that it loads', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = upsample_nearest(%1) {factor=[2]}
    %3 = param() {name="a.weight", shape=[4, 4, 1]}
    %4 = param() {name="a.bias", shape=[4]}
    %5 = conv(%2, %3, %4) {stride=[1], padding=[0]}
    return output=%5`;
  expect(scheduled(text, fuse_nearest_upsample, fuse_norm_prologue)).toEqual([
    'conv  upsample[2]  prologue[silu]  %0 -> %5',
  ]);
});

test('not in front of anything but a convolution', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = avg_pool(%1) {kernel=[2]}
    return output=%2`;
  expect(scheduled(text, fuse_norm_prologue)).toEqual(scheduled(text));
});

test('one silu in front of another is no prologue that kernels have code for', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = silu(%1)
    %3 = param() {name="a.weight", shape=[4, 4, 1]}
    %4 = param() {name="a.bias", shape=[4]}
    %5 = conv(%2, %3, %4) {stride=[1], padding=[0]}
    return output=%5`;
  expect(scheduled(text, fuse_norm_prologue)).toEqual([
    'map  prologue[silu]  %0 -> %1',
    'conv  prologue[silu]  %1 -> %5',
  ]);
});
