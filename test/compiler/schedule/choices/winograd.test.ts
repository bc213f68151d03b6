// Winograd's algorithm: which convolutions take it, and how a large batch is computed in parts.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../../compiler/compile.ts';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { buildSchedule, type ScheduleOptions } from '../../../../compiler/schedule/build.ts';
import { GENERIC, SOFTWARE, type Target } from '../../../../compiler/target.ts';
import { graphOf } from '../../../fixtures/text.ts';

interface Shape {
  readonly inputs?: number;
  readonly outputs?: number;
  readonly size?: readonly number[];
  readonly kernel?: number;
  readonly stride?: number;
}

/** How a convolution of the shape is computed: the tile of Winograd's algorithm, or null. */
function winogradOf(shape: Shape, target: Target = SOFTWARE, options: ScheduleOptions = {}): number | null {
  const { inputs = 64, outputs = 64, size = [16, 16], kernel = 3, stride = 1 } = shape;
  const each = (n: number) => `[${size.map(() => n).join(', ')}]`;
  const graph = graphOf(`
    %0 = input() {name="x", type=f32[1,${inputs},${size.join(',')}]}
    %1 = param() {name="w", shape=[${outputs}, ${inputs}, ${size.map(() => kernel).join(', ')}]}
    %2 = param() {name="b", shape=[${outputs}]}
    %3 = conv(%0, %1, %2) {stride=${each(stride)}, padding=${each((kernel - 1) / 2)}}
    return output=%3
  `);
  return buildSchedule(graph, target, undefined, options).groups.find((g) => g.kind === 'conv')!.winograd;
}

describe('a convolution', () => {
  it('takes the tile that costs least, of odd sizes too', () => {
    expect(winogradOf({})).toBe(4);
    expect(winogradOf({ size: [32, 32], inputs: 128, outputs: 128 })).toBe(4);
    expect(winogradOf({ size: [14, 14] })).toBe(4);
    expect(winogradOf({ size: [8, 8], inputs: 256, outputs: 256 })).toBe(2);
    expect(winogradOf({ size: [31, 29], inputs: 128, outputs: 96 })).toBe(4);
  });

  it.each<[string, Shape]>([
    ['1x1', { kernel: 1 }],
    ['strided', { stride: 2, size: [32, 32] }],
    ['in 1D', { size: [64] }],
    ['in 3D', { size: [4, 8, 8] }],
    ['of few inputs', { inputs: 3 }],
    ['of few pixels', { size: [4, 4] }],
    ['of planes that no part of a batch could hold', { inputs: 256, outputs: 256, size: [256, 256] }],
  ])('does not take it where it is %s', (_, shape) => {
    expect(winogradOf(shape)).toBe(null);
  });

  it('takes it transposed, where the result is as large as the input', () => {
    const transposed = (padding: number, output_padding: number, stride = 1) => {
      const graph = graphOf(`
        %0 = input() {name="x", type=f32[1,64,16,16]}
        %1 = param() {name="w", shape=[64, 96, 3, 3]}
        %2 = conv_transpose(%0, %1) {stride=[${stride}, ${stride}], padding=[${padding}, ${padding}], output_padding=[${output_padding}, ${output_padding}]}
        return output=%2
      `);
      return buildSchedule(graph, SOFTWARE).groups.find((g) => g.kind === 'conv')!.winograd;
    };
    expect(transposed(1, 0)).toBe(4);
    expect(transposed(0, 0)).toBe(null);
    expect(transposed(1, 1, 2)).toBe(null);
  });

  it('does not take it where the result is to be as exact as the plain one', () => {
    expect(winogradOf({}, SOFTWARE, { strict: true })).toBe(null);
  });
});

describe('CIFAR-10', () => {
  const text = readFileSync(new URL('../../../../graphs/cifar10.json', import.meta.url), 'utf8');
  const { graph } = loadGraph(text, 'cifar10.json');
  const compiled = (batch: number) => compileGraph(graph, { batch, target: SOFTWARE });

  it('is computed by the same groups at every batch, large ones in parts that share their weights', () => {
    const [one, many] = [compiled(1), compiled(64)];
    const algorithms = ({ schedule }: typeof one) =>
      schedule.groups.map((g) => [g.kind, g.kind === 'conv' && [g.winograd, g.tile]]);
    expect(algorithms(many)).toEqual(algorithms(one));
    expect(many.bundle.manifest.dispatches.length).toBeGreaterThan(one.bundle.manifest.dispatches.length);
    expect(many.bundle.manifest.weights).toEqual(one.bundle.manifest.weights);
    const planes = many.memory.lifetimes.filter(({ name }) => /^[tp]/.test(name));
    expect(planes.length).toBeGreaterThan(0);
    expect(Math.max(...planes.map(({ bytes }) => bytes))).toBeLessThanOrEqual(64 * 2 ** 20);
  });
});

describe('on GPUs', () => {
  const on = (shape: Shape, options: ScheduleOptions = {}) => winogradOf(shape, GENERIC, options);

  it('a convolution takes it from so many pixels and channels on, where planes and weights fit a binding', () => {
    expect(on({})).toBe(4);
    expect(on({ size: [31, 29], inputs: 128, outputs: 96 })).toBe(4);
    expect(on({ size: [16, 20] })).toBe(4);
    expect(on({ size: [256, 256], inputs: 128, outputs: 128 })).toBe(4);
    expect(on({ size: [14, 14] })).toBe(null);
    expect(on({ inputs: 60 })).toBe(null);
    expect(on({ outputs: 6, inputs: 128 })).toBe(null);
    expect(on({ kernel: 1 })).toBe(null);
    expect(on({}, { strict: true })).toBe(null);
    // where bytes of weights have a price, no rule expands them
    expect(on({}, { price: 1e-4 })).toBe(null);
    // 36 planes of 1024 by 1024 weights are more than a binding, and so are the planes of a large image
    expect(on({ inputs: 1024, outputs: 1024 })).toBe(null);
    expect(on({ size: [512, 512], inputs: 128, outputs: 128 })).toBe(null);
  });

  it('samples of a part share the tiles of a product, by weights that every batch packs alike', () => {
    const { graph } = loadGraph(readFileSync('graphs/cifar10.json', 'utf8'), 'cifar10');
    const compiled = (batch: number) => compileGraph(graph, { target: GENERIC, batch }).bundle.manifest;
    const [one, many] = [compiled(1), compiled(64)];
    expect(many.weights).toEqual(one.weights);
    const products = ({ dispatches, kernels }: typeof one) =>
      dispatches.filter(({ kernel }) => kernels[kernel]!.file.startsWith('winograd_product'));
    expect(products(one).length).toBeGreaterThan(20);
    expect(products(many).length).toBeGreaterThan(products(one).length);
    expect(Math.max(...many.slots.map(({ bytes }) => bytes))).toBeLessThanOrEqual(64 * 2 ** 20);
  });
});
