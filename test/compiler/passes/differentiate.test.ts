// Gradients against central finite differences in float64, by every element of x and of every parameter.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOpGraphBuilder, type OpGraphBuilder } from '../../../compiler/opgraph/build.ts';
import type { OpGraph, OpNode } from '../../../compiler/opgraph/opgraph.ts';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { printOpGraph } from '../../../compiler/opgraph/print.ts';
import { runReference } from '../../../compiler/opgraph/reference.ts';
import { verifyOpGraph } from '../../../compiler/opgraph/verify.ts';
import type { RefTensor, Shape } from '../../../compiler/ops/op.ts';
import { sizeOf } from '../../../compiler/ops/op.ts';
import { type Derivative, differentiate } from '../../../compiler/passes/differentiate/differentiate.ts';
import { dropoutWords } from '../../../runtime/training/dropout.ts';
import { dot, noise, relativeL2 } from '../../fixtures/values.ts';

/** What a case is written with: the builder, x, and parameters by their shape. */
interface Body extends OpGraphBuilder {
  readonly x: number;
  param(...shape: number[]): number;
  /** x as a vector of `channels` for each sample. */
  vector(channels: number): number;
}

/** Σ low_res · body(x) as a graph with its derivatives by x, `gradient`, and by parameters, `gradient.NAME`. */
function derivativeOf(shape: Shape, body: (b: Body) => number): OpGraph {
  const b = createOpGraphBuilder();
  const x = b.add('input', [], { name: 'x', type: { dtype: 'f32', shape } }, 'x');
  const params: number[] = [];
  const param = (...of: number[]) => {
    const id = b.add('param', [], { name: `p${params.length}`, shape: of }, 'weights');
    params.push(id);
    return id;
  };
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
  const byParams = params.map((value, i) => ({ name: `gradient.p${i}`, value }));
  const derivative: Derivative = { output, cotangent, by: [{ name: 'gradient', value: x }, ...byParams] };
  return differentiate(b.finish([{ name: 'output', value: output }]), derivative);
}

const STEP = 1e-5;

/** How far the gradients of a graph are from finite differences, at random values: the farthest. */
function errorOf(graph: OpGraph, seed: number): number {
  verifyOpGraph(graph);
  const shapeOf = (name: string) =>
    graph.nodes.find((node) => node.op === 'input' && node.attrs.name === name)!.type.shape;
  const low_res = noise(shapeOf('low_res'), seed + 1);
  const batch = shapeOf('x')[0]!;
  const timesteps = noise([batch], seed);
  const y = { shape: [batch], data: Float64Array.from({ length: batch }, (_, b) => (seed + b) % 2) };
  const dropout = { shape: [batch, 4], data: Float64Array.from(dropoutWords({ seed, step: 3 }, batch)) };
  const params = graph.nodes.flatMap((node) => (node.op === 'param' ? [node.attrs] : []));
  const at = new Map([
    ['x', noise(shapeOf('x'), seed)],
    ...params.map(({ name, shape }) => [name, noise(shape, seed + 7 * Number(name.slice(1)))] as const),
  ]);
  const run = (of: OpGraph, values: ReadonlyMap<string, RefTensor>) => {
    // the executor rounds parameters to float32, which a step would be lost in: they come as inputs
    const given = Object.fromEntries([...values]);
    return runReference(withParamsAsInputs(of), () => new Float32Array(), {
      ...given,
      timesteps,
      low_res,
      y,
      dropout,
    });
  };
  const forward = { ...graph, outputs: graph.outputs.filter(({ name }) => name === 'output') };
  const value = (name: string, i: number, step: number) => {
    const { shape, data } = at.get(name)!;
    const moved = { shape, data: data.map((v, k) => (k === i ? v + step : v)) };
    return dot(low_res, run(forward, new Map([...at, [name, moved]])).get('output')!);
  };
  const gradients = run(graph, at);
  const errors = [...at].map(([name, { data }]) => {
    const expected = data.map((_, i) => (value(name, i, STEP) - value(name, i, -STEP)) / (2 * STEP));
    const found = gradients.get(name === 'x' ? 'gradient' : `gradient.${name}`)!;
    expect(found.shape).toEqual(at.get(name)!.shape);
    const isZero = expected.every((v) => v === 0);
    return isZero ? Math.max(...found.data.map(Math.abs)) : relativeL2(found.data, expected);
  });
  return Math.max(...errors);
}

/** The same graph with inputs in the place of parameters. */
function withParamsAsInputs(graph: OpGraph): OpGraph {
  const nodes = graph.nodes.map((node): OpNode => {
    if (node.op !== 'param') return node;
    return { ...node, op: 'input', attrs: { name: node.attrs.name, type: node.type } };
  });
  return { ...graph, nodes };
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

  it('linear with parameters that are joined, of which a slice is read', () =>
    holds(2, (b, channels) => {
      const rows = b.add('param_concat', [b.param(2, 3), b.param(1, 3), b.param(channels, 3)], {}, 'rows');
      const biases = b.add('param_concat', [b.param(2), b.param(1), b.param(channels)], {}, 'rows');
      const product = b.add('linear', [b.vector(3), rows, biases], {}, 'linear');
      const mine = b.add('slice', [product], { start: 2, end: 2 + channels }, 'slice');
      return b.add('channel_add', [b.x, mine], {}, 'add');
    }));

  it('embedding, by the table', () =>
    holds(1, (b, channels) => {
      const batch = b.typeOf(b.x).shape[0]!;
      const labels = b.add('input', [], { name: 'y', type: { dtype: 'u32', shape: [batch] } }, 'y');
      const rows = b.add('embedding', [b.param(3, channels), labels], {}, 'labels');
      return b.add('channel_add', [b.x, rows], {}, 'add');
    }));

  it('conv with its norm, FiLM, silu and nearest upsampling in front, by weight and bias', () =>
    holds(
      2,
      (b, channels, space) => {
        const norm = [b.x, b.param(channels), b.param(channels)];
        const normed = b.add('group_norm', norm, { groups: 2, eps: 1e-2 }, 'norm');
        const film = b.add('film', [normed, b.vector(2 * channels)], {}, 'film');
        const up = b.add(
          'upsample_nearest',
          [b.add('silu', [film], {}, 'silu')],
          { factor: space.map(() => 2) },
          'up',
        );
        const each = (n: number) => space.map(() => n);
        const weights = [b.param(2, channels, ...each(3)), b.param(2)];
        const conv = b.add('conv', [up, ...weights], { stride: each(2), padding: each(1) }, 'conv');
        return b.add('silu', [conv], {}, 'silu');
      },
      8,
    ));

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

  it('a mask that is drawn, behind norm and silu and in front of a convolution, under a fixed seed', () =>
    holds(4, (b, channels, space) => {
      const [batch] = b.typeOf(b.x).shape;
      const attrs = { groups: 2, eps: 1e-2 };
      const normed = b.add('group_norm', [b.x, b.param(channels), b.param(channels)], attrs, 'norm');
      const type = { dtype: 'u32', shape: [batch!, 4] } as const;
      const words = b.add('input', [], { name: 'dropout', type }, 'dropout');
      const mask = b.add('dropout_mask', [words], { p: 0.4, block: 3, size: [channels, ...space] }, 'mask');
      const kept = b.add(
        'apply_mask',
        [b.add('silu', [normed], {}, 'silu'), mask],
        { factor: 1 / 0.6 },
        'drop',
      );
      const weights = [b.param(3, channels, ...space.map(() => 1)), b.param(3)];
      return b.add(
        'conv',
        [kept, ...weights],
        { stride: space.map(() => 1), padding: space.map(() => 0) },
        'conv',
      );
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
  const derivative = { output: 6, cotangent: 1, by: [{ name: 'gradient', value: 0 }] };

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
    const graph = differentiate(parseOpGraph(half), { ...derivative, output: 4 });
    expect(printOpGraph(graph).split('\n').slice(5, 8)).toEqual([
      '%5 = cast(%1) {dtype=f16} : f16[1,4,3]  # gradient',
      '%6 = activation_gradient(%2, %5) {of="silu"} : f16[1,4,3]  # gradient',
      '%7 = cast(%6) {dtype=f32} : f32[1,4,3]  # gradient',
    ]);
  });

  it('sums to the float32 of a parameter that is read as float16', () => {
    const half = `
      %0 = input() {name="x", type=f32[2,4,3]}
      %1 = input() {name="low_res", type=f16[2,5,3]}
      %2 = cast(%0) {dtype=f16}
      %3 = param() {name="w", shape=[5,4,1]}
      %4 = cast(%3) {dtype=f16}
      %5 = param() {name="b", shape=[5]}
      %6 = cast(%5) {dtype=f16}
      %7 = conv(%2, %4, %6) {stride=[1], padding=[0]}
      return output=%7`;
    const by = [3, 5].map((value) => ({ name: `gradient.${value}`, value }));
    const graph = differentiate(parseOpGraph(half), { output: 7, cotangent: 1, by });
    expect(printOpGraph(graph).split('\n').slice(8)).toEqual([
      '%8 = conv_weight_gradient(%2, %1) {stride=[1], padding=[0], kernel=[1]} : f32[5,4,1]  # gradient',
      '%9 = channel_sum(%1) : f32[5]  # gradient',
      'return output=%7, gradient.3=%8, gradient.5=%9',
      '',
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
    const timesteps = `
      %0 = input() {name="timesteps", type=f32[1]}
      %1 = timestep_embedding(%0) {dim=4, max_period=10000, order="cos_sin", shift=0}  # time_embed
      return output=%1`;
    const by = [{ name: 'gradient', value: 0 }];
    expect(() => differentiate(parseOpGraph(timesteps), { output: 1, cotangent: 1, by })).toThrow(
      '%1 (timestep_embedding, time_embed) has no gradient by operand 0: none: timesteps are given',
    );
  });

  it('gives each reader of a chain of norm, FiLM and activation one of its own, and shares what two rules need', () => {
    const by = [2, 3].map((value) => ({ name: `grad.${value}`, value }));
    const found = printOpGraph(differentiate(parseOpGraph(text), { ...derivative, by }))
      .split('\n')
      .slice(7);
    expect(found).toEqual([
      '%7 = group_norm(%0, %2, %3) {groups=2, eps=0.1} : f32[1,4,3]  # norm.gradient',
      '%8 = activation_gradient(%7, %1) {of="silu"} : f32[1,4,3]  # silu.gradient',
      '%9 = group_norm_sums(%0, %8) {groups=2, eps=0.1} : f32[1,8]  # norm.gradient',
      '%10 = slice(%9) {start=0, end=4} : f32[1,4]  # norm.gradient',
      '%11 = channel_sum(%10) : f32[4]  # norm.gradient',
      '%12 = group_norm(%0, %2, %3) {groups=2, eps=0.1} : f32[1,4,3]  # norm.gradient',
      '%13 = activation_gradient(%12, %1) {of="silu"} : f32[1,4,3]  # silu.gradient',
      '%14 = slice(%9) {start=4, end=8} : f32[1,4]  # norm.gradient',
      '%15 = channel_sum(%14) : f32[4]  # norm.gradient',
      'return output=%6, grad.2=%11, grad.3=%15',
      '',
    ]);
  });
});
