import { expect, test } from 'vitest';
import { fuse_norm_gradient } from '../../../../compiler/schedule/fusions/fuse_norm_gradient.ts';
import { scheduled } from '../../../fixtures/text.ts';

const start = `
  %0 = input() {name="x", type=f32[1,4,2]}
  %1 = input() {name="timesteps", type=f32[1]}
  %2 = timestep_embedding(%1) {dim=8, max_period=10000, order="cos_sin", shift=0}
  %3 = param() {name="n.weight", shape=[4]}
  %4 = param() {name="n.bias", shape=[4]}
  %5 = input() {name="g", type=f32[1,4,2]}
  %6 = group_norm(%0, %3, %4) {groups=2, eps=1e-5}`;

test('the gradients of silu, FiLM and norm are one pass, which computes again what they are taken at', () => {
  const text = `${start}
    %7 = film(%6, %2)
    %8 = activation_gradient(%7, %5) {of="silu"}
    %9 = film_gradient(%8, %2)
    %10 = group_norm_gradient(%0, %3, %9) {groups=2, eps=1e-5}
    return output=%10`;
  expect(scheduled(text)).toEqual([
    'statistics  %0 -> %0',
    'map  prologue[group_norm]  %0 -> %6',
    'map  prologue[film]  %6 -> %7',
    'map  epilogue[activation_gradient]  %7 -> %8',
    'map  epilogue[film_gradient]  %8 -> %9',
    'norm_gradient  %0 %9 -> %10',
  ]);
  expect(scheduled(text, fuse_norm_gradient)).toEqual([
    'norm_gradient  through[group_norm, film, activation_gradient, film_gradient]  %0 %5 -> %10',
  ]);
});

test('without FiLM', () => {
  const text = `${start}
    %7 = activation_gradient(%6, %5) {of="relu"}
    %8 = group_norm_gradient(%0, %3, %7) {groups=2, eps=1e-5}
    return output=%8`;
  expect(scheduled(text, fuse_norm_gradient)).toEqual([
    'norm_gradient  through[group_norm, activation_gradient]  %0 %5 -> %8',
  ]);
});

test('not where the norm is another, or has another reader', () => {
  const other = `${start}
    %7 = activation_gradient(%6, %5) {of="silu"}
    %8 = group_norm_gradient(%0, %3, %7) {groups=4, eps=1e-5}
    return output=%8`;
  const twice = `${start}
    %7 = activation_gradient(%6, %5) {of="silu"}
    %8 = group_norm_gradient(%0, %3, %7) {groups=2, eps=1e-5}
    %9 = add(%8, %6)
    return output=%9`;
  for (const text of [other, twice]) {
    expect(scheduled(text, fuse_norm_gradient).slice(0, 4)).toEqual([
      'statistics  %0 -> %0',
      'map  prologue[group_norm]  %0 -> %6',
      'map  epilogue[activation_gradient]  %6 -> %7',
      'norm_gradient  %0 %7 -> %8',
    ]);
  }
});
