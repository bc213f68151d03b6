import { expect, test } from 'vitest';
import { merge_time_projections } from '../../../compiler/passes/merge_time_projections.ts';
import { normal, passed } from '../../fixtures/text.ts';

test('linear layers of one operand become one, and each reader takes its slice', () => {
  const before = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = param() {name="a.weight", shape=[4, 8]}  # a
    %3 = param() {name="a.bias", shape=[4]}  # a
    %4 = linear(%1, %2, %3)  # a
    %5 = silu(%4)
    %6 = param() {name="b.weight", shape=[12, 8]}  # b
    %7 = param() {name="b.bias", shape=[12]}  # b
    %8 = linear(%1, %6, %7)  # b
    %9 = param() {name="c.weight", shape=[4, 8]}  # c
    %10 = param() {name="c.bias", shape=[4]}  # c
    %11 = linear(%1, %9, %10)  # c
    %12 = add(%5, %11)
    return output=%12, middle=%8`;
  const after = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = param() {name="a.weight", shape=[4, 8]}  # a
    %3 = param() {name="a.bias", shape=[4]}  # a
    %4 = param() {name="b.weight", shape=[12, 8]}  # b
    %5 = param() {name="c.weight", shape=[4, 8]}  # c
    %6 = param_concat(%2, %4, %5)  # time_projections
    %7 = param() {name="b.bias", shape=[12]}  # b
    %8 = param() {name="c.bias", shape=[4]}  # c
    %9 = param_concat(%3, %7, %8)  # time_projections
    %10 = linear(%1, %6, %9)  # time_projections
    %11 = slice(%10) {start=0, end=4}  # a
    %12 = silu(%11)
    %13 = slice(%10) {start=4, end=16}  # b
    %14 = slice(%10) {start=16, end=20}  # c
    %15 = add(%12, %14)
    return output=%15, middle=%13`;
  expect(passed(merge_time_projections, before)).toBe(normal(after));
});

test('parameters that are there already, or that two layers share, are not written twice', () => {
  const before = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = param() {name="a.weight", shape=[4, 8]}
    %3 = param() {name="shared.bias", shape=[4]}
    %4 = param() {name="b.weight", shape=[4, 8]}
    %5 = linear(%1, %2, %3)  # a
    %6 = linear(%1, %4, %3)  # b
    %7 = param() {name="c.weight", shape=[4, 8]}
    %8 = linear(%1, %7, %3)  # c
    %9 = linear(%1, %7, %3)  # d
    %10 = add(%6, %8)
    %11 = add(%10, %9)
    return output=%5, middle=%11`;
  const after = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = param() {name="a.weight", shape=[4, 8]}
    %3 = param() {name="shared.bias", shape=[4]}
    %4 = param() {name="b.weight", shape=[4, 8]}
    %5 = param() {name="c.weight", shape=[4, 8]}
    %6 = param_concat(%2, %4, %5, %5)  # time_projections
    %7 = param_concat(%3, %3, %3, %3)  # time_projections
    %8 = linear(%1, %6, %7)  # time_projections
    %9 = slice(%8) {start=0, end=4}  # a
    %10 = slice(%8) {start=4, end=8}  # b
    %11 = slice(%8) {start=8, end=12}  # c
    %12 = slice(%8) {start=12, end=16}  # d
    %13 = add(%10, %11)
    %14 = add(%13, %12)
    return output=%9, middle=%14`;
  expect(passed(merge_time_projections, before)).toBe(normal(after));
});

test('layers of different operands stay apart', () => {
  const text = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = param() {name="a.weight", shape=[8, 8]}
    %3 = param() {name="a.bias", shape=[8]}
    %4 = linear(%1, %2, %3)  # a
    %5 = param() {name="b.weight", shape=[4, 8]}
    %6 = param() {name="b.bias", shape=[4]}
    %7 = linear(%4, %5, %6)  # b
    return output=%7`;
  expect(passed(merge_time_projections, text)).toBe(normal(text));
});

test('a product ends where it would have more elements than it may', () => {
  const before = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = param() {name="a.weight", shape=[4, 8]}
    %3 = param() {name="a.bias", shape=[4]}
    %4 = linear(%1, %2, %3)  # a
    %5 = linear(%1, %2, %3)  # b
    %6 = linear(%1, %2, %3)  # c
    %7 = add(%4, %5)
    %8 = add(%7, %6)
    return output=%8`;
  const after = `
    %0 = input() {name="timesteps", type=f32[2]}
    %1 = timestep_embedding(%0) {dim=8, max_period=10000, order="cos_sin", shift=0}
    %2 = param() {name="a.weight", shape=[4, 8]}
    %3 = param() {name="a.bias", shape=[4]}
    %4 = param_concat(%2, %2)  # time_projections
    %5 = param_concat(%3, %3)  # time_projections
    %6 = linear(%1, %4, %5)  # time_projections
    %7 = slice(%6) {start=0, end=4}  # a
    %8 = slice(%6) {start=4, end=8}  # b
    %9 = linear(%1, %2, %3)  # c
    %10 = add(%7, %8)
    %11 = add(%10, %9)
    return output=%11`;
  expect(passed((graph) => merge_time_projections(graph, 2 * 32), before)).toBe(normal(after));
});
