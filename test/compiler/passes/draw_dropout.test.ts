import { expect, test } from 'vitest';
import { draw_dropout } from '../../../compiler/passes/draw_dropout.ts';
import { normal, passed } from '../../fixtures/text.ts';

test('each dropout becomes a mask of its own number, drawn from one input, and its application', () => {
  const before = `
    %0 = input() {name="x", type=f32[2,4,3]}
    %1 = dropout(%0) {p=0.5}  # a
    %2 = silu(%1)  # b
    %3 = dropout(%2) {p=0.75}  # c
    return output=%3`;
  const after = `
    %0 = input() {name="x", type=f32[2,4,3]}
    %1 = input() {name="dropout", type=u32[2,4]}  # dropout
    %2 = dropout_mask(%1) {p=0.5, block=0, size=[4, 3]}  # a
    %3 = apply_mask(%0, %2) {factor=2}  # a
    %4 = silu(%3)  # b
    %5 = dropout_mask(%1) {p=0.75, block=1, size=[4, 3]}  # c
    %6 = apply_mask(%4, %5) {factor=4}  # c
    return output=%6`;
  expect(passed(draw_dropout, before)).toBe(normal(after));
});

test('one of probability 0 is the identity, and keeps its number', () => {
  const before = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = dropout(%0) {p=0}
    %2 = silu(%1)
    %3 = dropout(%2) {p=0.5}
    return output=%3`;
  const after = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = input() {name="dropout", type=u32[1,4]}  # dropout
    %3 = dropout_mask(%2) {p=0.5, block=1, size=[4, 2]}
    %4 = apply_mask(%1, %3) {factor=2}
    return output=%4`;
  expect(passed(draw_dropout, before)).toBe(normal(after));
});

test('a graph without dropout takes no words', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    return output=%1`;
  expect(passed(draw_dropout, text)).toBe(normal(text));
  expect(passed(draw_dropout, text.replace('silu(%0)', 'dropout(%0) {p=0}'))).toBe(
    normal('%0 = input() {name="x", type=f32[1,4,2]}\nreturn output=%0'),
  );
});
