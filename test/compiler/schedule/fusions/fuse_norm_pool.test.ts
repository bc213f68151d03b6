import { expect, test } from 'vitest';
import { fuse_norm_map } from '../../../../compiler/schedule/fusions/fuse_norm_map.ts';
import { fuse_norm_pool } from '../../../../compiler/schedule/fusions/fuse_norm_pool.ts';
import { scheduled } from '../../../fixtures/text.ts';

const normed = `
  %0 = input() {name="x", type=f32[1,4,4]}
  %1 = param() {name="n.weight", shape=[4]}
  %2 = param() {name="n.bias", shape=[4]}
  %3 = group_norm(%0, %1, %2) {groups=2, eps=0.00001}
  %4 = silu(%3)
  %5 = avg_pool(%4) {kernel=[2]}`;

test('the pooling normalises what it loads', () => {
  const text = `${normed}\n return output=%5`;
  const fused = ['statistics  %0 -> %0', 'avg_pool  prologue[group_norm, silu]  %0 -> %5'];
  expect(scheduled(text, fuse_norm_pool)).toEqual(fused);
  expect(scheduled(text, fuse_norm_map, fuse_norm_pool)).toEqual(fused);
});

test('not where the normalised value is read by others or is an output', () => {
  const twice = `${normed}\n %6 = upsample_nearest(%5) {factor=[2]}\n %7 = add(%6, %4)\n return output=%7`;
  const tapped = `${normed}\n return output=%5, down.0=%4`;
  for (const text of [twice, tapped]) expect(scheduled(text, fuse_norm_pool)).toContain('avg_pool  %4 -> %5');
});

test('not an upsampling, and not in an order that kernels have no code for', () => {
  const upsampled = `
    %0 = input() {name="x", type=f32[1,4,4]}
    %1 = upsample_nearest(%0) {factor=[2]}
    %2 = avg_pool(%1) {kernel=[2]}
    return output=%2`;
  const turned = `
    %0 = input() {name="x", type=f32[1,4,4]}
    %1 = silu(%0)
    %2 = param() {name="n.weight", shape=[4]}
    %3 = param() {name="n.bias", shape=[4]}
    %4 = group_norm(%1, %2, %3) {groups=2, eps=0.00001}
    %5 = avg_pool(%4) {kernel=[2]}
    return output=%5`;
  expect(scheduled(upsampled, fuse_norm_pool)).toEqual(scheduled(upsampled));
  expect(scheduled(turned, fuse_norm_pool)).toEqual([
    'map  prologue[silu]  %0 -> %1',
    'statistics  %1 -> %1',
    'avg_pool  prologue[group_norm]  %1 -> %5',
  ]);
});
