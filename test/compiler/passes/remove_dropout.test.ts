import { expect, test } from 'vitest';
import { remove_dropout } from '../../../compiler/passes/remove_dropout.ts';
import { normal, passed } from '../../fixtures/text.ts';

test('readers of a dropout read its operand', () => {
  const before = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)  # block.1
    %2 = dropout(%1) {p=0.1}  # block.2
    %3 = add(%2, %1)  # block
    return output=%3`;
  const after = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)  # block.1
    %2 = add(%1, %1)  # block
    return output=%2`;
  expect(passed(remove_dropout, before)).toBe(normal(after));
});

test('chains of dropouts go, and so do those that are outputs or read inputs', () => {
  const before = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = dropout(%0) {p=0.5}
    %2 = dropout(%1) {p=0}
    %3 = silu(%2)
    %4 = dropout(%3) {p=0.1}
    return output=%4, down.0=%2`;
  const after = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    return output=%1, down.0=%0`;
  expect(passed(remove_dropout, before)).toBe(normal(after));
});

test('a graph without dropout stays as it is', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    return output=%1`;
  expect(passed(remove_dropout, text)).toBe(normal(text));
});
