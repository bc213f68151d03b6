// Winograd's algorithm: which convolutions take it, and how a large batch is computed in parts.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../../compiler/compile.ts';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { buildSchedule } from '../../../../compiler/schedule/build.ts';
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
function winogradOf(shape: Shape, target: Target = SOFTWARE, strict = false): number | null {
  const { inputs = 64, outputs = 64, size = [16, 16], kernel = 3, stride = 1 } = shape;
  const each = (n: number) => `[${size.map(() => n).join(', ')}]`;
  const graph = graphOf(`
    %0 = input() {name="x", type=f32[1,${inputs},${size.join(',')}]}
    %1 = param() {name="w", shape=[${outputs}, ${inputs}, ${size.map(() => kernel).join(', ')}]}
    %2 = param() {name="b", shape=[${outputs}]}
    %3 = conv(%0, %1, %2) {stride=${each(stride)}, padding=${each((kernel - 1) / 2)}}
    return output=%3
  `);
  return buildSchedule(graph, target, undefined, { strict }).groups.find((g) => g.kind === 'conv')!.winograd;
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

  it('does not take it on GPUs, nor where the result is to be as exact as the plain one', () => {
    expect(winogradOf({}, GENERIC)).toBe(null);
    expect(winogradOf({}, SOFTWARE, true)).toBe(null);
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
