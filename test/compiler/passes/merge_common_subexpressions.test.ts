import { expect, test } from 'vitest';
import { merge_common_subexpressions } from '../../../compiler/passes/merge_common_subexpressions.ts';
import { normal, passed } from '../../fixtures/text.ts';

test('equal ops of equal operands become the first of them', () => {
  const before = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)  # a
    %2 = silu(%0)  # b
    %3 = add(%1, %2)
    return output=%3, middle=%2`;
  const after = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)  # a
    %2 = add(%1, %1)
    return output=%2, middle=%1`;
  expect(passed(merge_common_subexpressions, before)).toBe(normal(after));
});

test('what becomes equal through a merge is merged too', () => {
  const before = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = silu(%0)
    %3 = reshape(%1) {shape=[1, 4, 2, 1]}
    %4 = reshape(%2) {shape=[1, 4, 2, 1]}
    %5 = add(%3, %4)
    return output=%5`;
  const after = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = reshape(%1) {shape=[1, 4, 2, 1]}
    %3 = add(%2, %2)
    return output=%3`;
  expect(passed(merge_common_subexpressions, before)).toBe(normal(after));
});

test('other operands, their order and other attributes keep nodes apart', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = add(%0, %1)
    %3 = add(%1, %0)
    %4 = avg_pool(%2) {kernel=[2]}
    %5 = avg_pool(%3) {kernel=[2]}
    %6 = avg_pool(%3) {kernel=[1]}
    %7 = add(%4, %5)
    return output=%7, middle=%6`;
  expect(passed(merge_common_subexpressions, text)).toBe(normal(text));
});
