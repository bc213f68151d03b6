// The unfused schedule: one group for each op, and what cannot be scheduled.

import { expect, test } from 'vitest';
import { scheduled } from '../../fixtures/text.ts';

test('one group for each op, views looked through', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,12,2,3]}
    %1 = reshape(%0) {shape=[1, 12, 6]}
    %2 = attention(%1) {heads=2, order="heads_first"}
    %3 = reshape(%2) {shape=[1, 4, 2, 3]}
    %4 = upsample_nearest(%3) {factor=[2, 2]}
    %5 = avg_pool(%4) {kernel=[2, 2]}
    %6 = add(%5, %3)
    return output=%6`;
  expect(scheduled(text)).toEqual([
    'attention  %0 -> %2',
    'map  upsample[2x2]  %2 -> %4',
    'avg_pool  %4 -> %5',
    'map  epilogue[add]  %5 -> %6',
  ]);
});

test('gradients read the cotangent beside what they are taken at', () => {
  const text = `
    %0 = input() {name="x", type=f32[2,12,6]}
    %1 = input() {name="y", type=u32[2]}
    %2 = window(%0) {start=[4, -1], size=[4, 6]}
    %3 = attention_gradient(%0, %2) {heads=2, order="heads_first"}
    %4 = activation_gradient(%0, %3) {of="silu"}
    %5 = scale(%4) {factor=0.5}
    %6 = multiply(%5, %0)
    %7 = window(%6) {start=[0, 0], size=[12, 1]}
    %8 = reshape(%7) {shape=[2, 12]}
    %9 = log_softmax_gradient(%8, %1)
    return output=%9`;
  expect(scheduled(text)).toEqual([
    'window  %0 -> %2',
    'attention_gradient  %0 %2 -> %3',
    'map  epilogue[activation_gradient]  %0 -> %4',
    'map  epilogue[scale]  %4 -> %5',
    'map  epilogue[multiply]  %5 -> %6',
    'window  %6 -> %7',
    'log_softmax_gradient  %7 %1 -> %9',
  ]);
});

test('a view that is an output costs nothing', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2,3]}
    %1 = silu(%0)
    %2 = reshape(%1) {shape=[1, 4, 6]}
    return output=%2`;
  expect(scheduled(text)).toEqual(['map  prologue[silu]  %0 -> %1']);
});

test.each([['silu(%1)'], ['add(%1, %1)']])('a slice that is no time projection is refused: %s', (op) => {
  const text = `
    %0 = input() {name="x", type=f32[1,8,2]}
    %1 = slice(%0) {start=0, end=4}
    %2 = ${op}
    return output=%2`;
  expect(() => scheduled(text)).toThrow(/internal: %2 \(\w+\) reads a slice of %0/);
});

test('a cast to float16 is a map, one back is how the value is read', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = cast(%0) {dtype=f16}
    %2 = silu(%1)
    %3 = cast(%2) {dtype=f32}
    %4 = silu(%3)
    return output=%4`;
  expect(scheduled(text)).toEqual([
    'map  %0 -> %1',
    'map  prologue[silu]  %1 -> %2',
    'map  prologue[silu]  %2 -> %4',
  ]);
});

test('a cast of parameters is done when they are loaded', () => {
  const text = `
    %0 = input() {name="x", type=f16[1,4,2]}
    %1 = param() {name="w", shape=[4, 4, 1]}
    %2 = param() {name="b", shape=[4]}
    %3 = cast(%1) {dtype=f16}
    %4 = cast(%2) {dtype=f16}
    %5 = conv(%0, %3, %4) {stride=[1], padding=[0]}
    return output=%5`;
  expect(scheduled(text)).toEqual(['conv  %0 -> %5']);
});

test('an op without a kernel is refused', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = dropout(%0) {p=0.5}
    return output=%1`;
  expect(() => scheduled(text)).toThrow('internal: no group for op dropout (%1');
});
