// Gradients against central finite differences in float64, by every element of x.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOpGraphBuilder, type OpGraphBuilder } from '../../../compiler/opgraph/build.ts';
import type { OpGraph } from '../../../compiler/opgraph/opgraph.ts';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { printOpGraph } from '../../../compiler/opgraph/print.ts';
import { runReference } from '../../../compiler/opgraph/reference.ts';
import { verifyOpGraph } from '../../../compiler/opgraph/verify.ts';
import type { RefTensor, Shape } from '../../../compiler/ops/op.ts';
import { sizeOf } from '../../../compiler/ops/op.ts';
import { type Derivative, differentiate } from '../../../compiler/passes/differentiate/differentiate.ts';
import { dot, noise, relativeL2 } from '../../fixtures/values.ts';

/** What a case is written with: the builder, x, and parameters by their shape. */
interface Body extends OpGraphBuilder {
  readonly x: number;
  param(...shape: number[]): number;
  /** x as a vector of `channels` for each sample. */
  vector(channels: number): number;
}

/** Σ low_res · body(x) as a graph with its derivative by x. */
function derivativeOf(shape: Shape, body: (b: Body) => number): OpGraph {
  const b = createOpGraphBuilder();
  const x = b.add('input', [], { name: 'x', type: { dtype: 'f32', shape } }, 'x');
  let params = 0;
  const param = (...of: number[]) => b.add('param', [], { name: `p${params++}`, shape: of }, 'weights');
  const vector = (channels: number) => {
    const mean = b.add('avg_pool', [x], { kernel: shape.slice(2) }, 'vector');
    const flat = b.add('reshape', [mean], { shape: shape.slice(0, 2) }, 'vector');
    return b.add('linear', [flat, param(channels, shape[1]!), param(channels)], {}, 'vector');
  };
  const output = body({ ...b, x, param, vector });
  const of = b.typeOf(output).shape;
  const spatial = of.length === 2 ? [...of, 1] : of;
  const given = b.add('input', [], { name: 'low_res', type: { dtype: 'f32', shape: spatial } }, 'low_res');
  const cotangent = of.length === 2 ? b.add('reshape', [given], { shape: of }, 'low_res') : given;
  const derivative: Derivative = { output, cotangent, by: x };
  return differentiate(b.finish([{ name: 'output', value: output }]), derivative);
}

const STEP = 1e-5;

/** How far the gradient of a graph is from finite differences, at random values. */
function errorOf(graph: OpGraph, seed: number): number {
  verifyOpGraph(graph);
  const shapeOf = (name: string) =>
    graph.nodes.find((node) => node.op === 'input' && node.attrs.name === name)!.type.shape;
  const x = noise(shapeOf('x'), seed);
  const low_res = noise(shapeOf('low_res'), seed + 1);
  const timesteps = noise([x.shape[0]!], seed);
  const params = (name: string, shape: Shape) =>
    Float32Array.from(noise(shape, seed + name.length * 7 + Number(name.slice(1))).data);
  const run = (at: RefTensor) => runReference(graph, params, { x: at, timesteps, low_res });
  const forward = { ...graph, outputs: graph.outputs.filter(({ name }) => name === 'output') };
  const value = (i: number, step: number) => {
    const at = { ...x, data: x.data.map((v, k) => (k === i ? v + step : v)) };
    return dot(low_res, runReference(forward, params, { x: at, timesteps, low_res }).get('output')!);
  };
  const expected = x.data.map((_, i) => (value(i, STEP) - value(i, -STEP)) / (2 * STEP));
  return relativeL2(run(x).get('gradient')!.data, expected);
}

/** Sizes of an activation: batch, channels as a multiple, and 1 to 3 dimensions. */
const shapes = (of: number) =>
  fc.record({
    batch: fc.integer({ min: 1, max: 2 }),
    channels: fc.integer({ min: 1, max: 3 }).map((n) => n * of),
    space: fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 3 }),
    seed: fc.nat(1000),
  });

function holds(of: number, body: (b: Body, channels: number, space: Shape) => number, runs = 12): void {
  fc.assert(
    fc.property(shapes(of), ({ batch, channels, space, seed }) => {
      const graph = derivativeOf([batch, channels, ...space], (b) => body(b, channels, space));
      expect(errorOf(graph, seed)).toBeLessThan(1e-7);
    }),
    { numRuns: runs, seed: 11 },
  );
}

describe('the gradient of', () => {
  it.each(['silu', 'relu', 'gelu', 'mish'] as const)('%s', (op) =>
    holds(1, (b) => b.add(op, [b.x], {}, 'f')),
  );

  it('rescale', () =>
    holds(1, (b) => {
      const moved = b.add('rescale', [b.x], { factor: 2, offset: -1 }, 'rescale');
      return b.add('multiply', [moved, moved], {}, 'square');
    }));

  it('add, multiply and scale, where both operands move', () =>
    holds(1, (b) => {
      const half = b.add('scale', [b.x], { factor: 0.5 }, 'scale');
      const product = b.add('multiply', [b.x, half], {}, 'multiply');
      return b.add('add', [product, b.x], {}, 'add');
    }));

  it('channel_add, by both operands', () =>
    holds(2, (b, channels) => b.add('channel_add', [b.x, b.vector(channels)], {}, 'add')));

  it('film, by both operands', () =>
    holds(2, (b, channels) => b.add('film', [b.x, b.vector(2 * channels)], {}, 'film')));

  it('position_add', () =>
    holds(1, (b, channels, space) => {
      const p = b.param(channels, ...space);
      const squared = b.add('multiply', [b.x, b.x], {}, 'square');
      return b.add('position_add', [squared, p], {}, 'add');
    }));

  it('concat and slice', () =>
    holds(2, (b, channels) => {
      const joined = b.add('concat', [b.x, b.add('silu', [b.x], {}, 'silu')], {}, 'concat');
      return b.add('slice', [joined], { start: 1, end: channels + 1 }, 'slice');
    }));

  it('window, on both sides', () =>
    holds(2, (b, channels, space) => {
      const start = [-1, ...space.map((_, d) => (d === 0 ? 1 : -2))];
      const size = [channels, ...space.map((n, d) => (d === 0 ? n : n + 3))];
      return b.add('window', [b.add('silu', [b.x], {}, 'silu')], { start, size }, 'window');
    }));

  it('conv, with strides that leave positions over', () =>
    fc.assert(
      fc.property(
        shapes(1),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 1 }),
        fc.integer({ min: 0, max: 1 }),
        ({ batch, channels, space, seed }, stride, kernel, begin, end) => {
          fc.pre(begin <= end && space.every((n) => n + begin + end >= kernel));
          const each = (n: number) => space.map(() => n);
          const padding = begin === end ? each(begin) : [...each(begin), ...each(end)];
          const graph = derivativeOf([batch, channels, ...space], (b) =>
            b.add(
              'conv',
              [b.x, b.param(2, channels, ...each(kernel)), b.param(2)],
              { stride: each(stride), padding },
              'conv',
            ),
          );
          expect(errorOf(graph, seed)).toBeLessThan(1e-7);
        },
      ),
      { numRuns: 20, seed: 11 },
    ));

  it('conv_transpose', () =>
    fc.assert(
      fc.property(
        shapes(1),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(2),
        ({ batch, channels, space, seed }, stride, left) => {
          const each = (n: number) => space.map(() => n);
          const graph = derivativeOf([batch, channels, ...space], (b) =>
            b.add(
              'conv_transpose',
              [b.x, b.param(channels, 2, ...each(3)), b.param(2)],
              {
                stride: each(stride),
                padding: each(1),
                output_padding: each(Math.min(left, stride - 1)),
              },
              'up',
            ),
          );
          expect(errorOf(graph, seed)).toBeLessThan(1e-7);
        },
      ),
      { numRuns: 12, seed: 11 },
    ));

  it('linear', () => holds(1, (b) => b.vector(3)));

  it('group_norm, behind which norm, FiLM and silu are computed again', () =>
    holds(4, (b, channels) => {
      const norm = [b.x, b.param(channels), b.param(channels)];
      const normed = b.add('group_norm', norm, { groups: 2, eps: 1e-3 }, 'norm');
      const film = b.add('film', [normed, b.vector(2 * channels)], {}, 'film');
      return b.add('silu', [film], {}, 'silu');
    }));

  it.each(['heads_first', 'qkv_first'] as const)('attention, %s', (order) =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(1000),
        (heads, width, positions, seed) => {
          const graph = derivativeOf([2, 3 * heads * width, positions], (b) =>
            b.add('attention', [b.x], { heads, order }, 'attention'),
          );
          expect(errorOf(graph, seed)).toBeLessThan(1e-7);
        },
      ),
      { numRuns: 12, seed: 11 },
    ),
  );

  it('avg_pool, with a rest, and upsample_nearest', () =>
    holds(1, (b, _, space) => {
      const up = b.add('upsample_nearest', [b.x], { factor: space.map((_, d) => d + 1) }, 'up');
      return b.add('avg_pool', [up], { kernel: space.map((_, d) => (d === 0 ? 2 : 3)) }, 'pool');
    }));

  it('reshape and dropout', () =>
    holds(1, (b, channels, space) => {
      const flat = b.add(
        'reshape',
        [b.x],
        { shape: [b.typeOf(b.x).shape[0]!, channels, sizeOf(space)] },
        'r',
      );
      return b.add('dropout', [b.add('silu', [flat], {}, 'silu')], { p: 0.5 }, 'dropout');
    }));
});

describe('differentiate', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,3]}
    %1 = input() {name="low_res", type=f32[1,4,3]}
    %2 = param() {name="w", shape=[4]}
    %3 = param() {name="b", shape=[4]}
    %4 = group_norm(%0, %2, %3) {groups=2, eps=0.1}  # norm
    %5 = silu(%4)  # silu
    %6 = add(%5, %0)  # add
    return output=%6`;
  const derivative = { output: 6, cotangent: 1, by: 0 };

  it('computes again what is cheap, and sums cotangents of a value with several readers', () => {
    const found = printOpGraph(differentiate(parseOpGraph(text), derivative))
      .split('\n')
      .slice(7);
    expect(found).toEqual([
      '%7 = group_norm(%0, %2, %3) {groups=2, eps=0.1} : f32[1,4,3]  # norm.gradient',
      '%8 = activation_gradient(%7, %1) {of="silu"} : f32[1,4,3]  # silu.gradient',
      '%9 = group_norm_gradient(%0, %2, %8) {groups=2, eps=0.1} : f32[1,4,3]  # norm.gradient',
      '%10 = add(%1, %9) : f32[1,4,3]  # norm.gradient',
      'return output=%6, gradient=%10',
      '',
    ]);
  });

  it('rounds a cotangent to the type of its value', () => {
    const half = `
      %0 = input() {name="x", type=f32[1,4,3]}
      %1 = input() {name="low_res", type=f32[1,4,3]}
      %2 = cast(%0) {dtype=f16}
      %3 = silu(%2)
      %4 = cast(%3) {dtype=f32}
      return output=%4`;
    const graph = differentiate(parseOpGraph(half), { output: 4, cotangent: 1, by: 0 });
    expect(printOpGraph(graph).split('\n').slice(5, 8)).toEqual([
      '%5 = cast(%1) {dtype=f16} : f16[1,4,3]  # gradient',
      '%6 = activation_gradient(%2, %5) {of="silu"} : f16[1,4,3]  # gradient',
      '%7 = cast(%6) {dtype=f32} : f32[1,4,3]  # gradient',
    ]);
  });

  it('refuses a value that does not depend on what it is differentiated by', () => {
    expect(() => differentiate(parseOpGraph(text), { ...derivative, output: 1, cotangent: 0 })).toThrow(
      '%1 does not depend on %0',
    );
  });

  it('refuses a cotangent of another type', () => {
    expect(() => differentiate(parseOpGraph(text), { ...derivative, cotangent: 2 })).toThrow(
      'the cotangent of %6 must be f32[1,4,3], got f32[4]',
    );
  });

  it('names the op that has no gradient, and why', () => {
    expect(() => differentiate(parseOpGraph(text), { ...derivative, by: 2 })).toThrow(
      '%4 (group_norm, norm) has no gradient by operand 1: none: weights are constants here',
    );
  });
});
