import { expect, test } from 'vitest';
import { eliminate_dead } from '../../../compiler/passes/eliminate_dead.ts';
import { normal, passed } from '../../fixtures/text.ts';

test('what no output needs is dropped, with the parameters it alone read', () => {
  const before = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = param() {name="a.weight", shape=[4, 4, 1]}
    %2 = param() {name="a.bias", shape=[4]}
    %3 = conv(%0, %1, %2) {stride=[1], padding=[0]}  # a
    %4 = silu(%3)
    %5 = silu(%0)
    return output=%5`;
  const after = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    return output=%1`;
  expect(passed(eliminate_dead, before)).toBe(normal(after));
});

test('what any output needs stays', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = silu(%1)
    %3 = silu(%1)
    return output=%2, middle=%3`;
  expect(passed(eliminate_dead, text)).toBe(normal(text));
});

test('the interface stays: every input, and the embedding of timesteps that no block reads', () => {
  const before = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = input() {name="timesteps", type=f32[1]}
    %2 = input() {name="y", type=u32[1]}
    %3 = timestep_embedding(%1) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %4 = silu(%3)
    %5 = param() {name="label_emb.weight", shape=[3, 8]}
    %6 = embedding(%5, %2)
    return output=%0`;
  const after = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = input() {name="timesteps", type=f32[1]}
    %2 = input() {name="y", type=u32[1]}
    %3 = timestep_embedding(%1) {dim=8, max_period=10000, order="cos_sin", shift=0}
    return output=%0`;
  expect(passed(eliminate_dead, before)).toBe(normal(after));
});
