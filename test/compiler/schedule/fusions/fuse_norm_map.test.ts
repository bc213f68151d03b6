import { expect, test } from 'vitest';
import { fuse_norm_map } from '../../../../compiler/schedule/fusions/fuse_norm_map.ts';
import { scheduled } from '../../../fixtures/text.ts';

const norm = `
  %0 = input() {name="x", type=f32[1,4,2]}
  %1 = input() {name="timesteps", type=f32[1]}
  %2 = timestep_embedding(%1) {dim=8, max_period=10000, order="cos_sin", shift=0}
  %3 = param() {name="n.weight", shape=[4]}
  %4 = param() {name="n.bias", shape=[4]}
  %5 = group_norm(%0, %3, %4) {groups=2, eps=1e-5}
  %6 = film(%5, %2)
  %7 = silu(%6)`;

test('norm, film and silu are one pass', () => {
  const text = `${norm}\n return output=%7`;
  expect(scheduled(text)).toEqual([
    'statistics  %0 -> %0',
    'map  prologue[group_norm]  %0 -> %5',
    'map  prologue[film]  %5 -> %6',
    'map  prologue[silu]  %6 -> %7',
  ]);
  expect(scheduled(text, fuse_norm_map)).toEqual([
    'statistics  %0 -> %0',
    'map  prologue[group_norm, film, silu]  %0 -> %7',
  ]);
});

test('up to a value that is an output or read twice', () => {
  const tapped = `${norm}\n return output=%7, middle=%6`;
  const twice = `${norm}\n %8 = add(%7, %6)\n return output=%8`;
  for (const text of [tapped, twice]) {
    expect(scheduled(text, fuse_norm_map).slice(1, 3)).toEqual([
      'map  prologue[group_norm, film]  %0 -> %6',
      'map  prologue[silu]  %6 -> %7',
    ]);
  }
});

test('not in an order that kernels have no code for', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = param() {name="n.weight", shape=[4]}
    %3 = param() {name="n.bias", shape=[4]}
    %4 = group_norm(%1, %2, %3) {groups=2, eps=1e-5}
    %5 = silu(%4)
    %6 = silu(%5)
    return output=%6`;
  expect(scheduled(text, fuse_norm_map)).toEqual([
    'map  prologue[silu]  %0 -> %1',
    'statistics  %1 -> %1',
    'map  prologue[group_norm, silu]  %1 -> %5',
    'map  prologue[silu]  %5 -> %6',
  ]);
});
