// The gradient of a convolution's weight: which are computed by Winograd's algorithm, and what it keeps.

import { describe, expect, it } from 'vitest';
import { buildSchedule } from '../../../../compiler/schedule/build.ts';
import { weightPlanes } from '../../../../compiler/schedule/choices/weight-gradient.ts';
import { GENERIC, SOFTWARE, type Target } from '../../../../compiler/target.ts';
import { graphOf } from '../../../fixtures/text.ts';

interface Shape {
  readonly batch?: number;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly size?: number;
  readonly stride?: number;
  readonly kernel?: number;
  readonly padding?: number;
}

function scheduleOf(shape: Shape, target: Target, strict: boolean) {
  const { batch = 4, inputs = 128, outputs = 128, size = 32, stride = 1, kernel = 3, padding = 1 } = shape;
  const to = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const schedule = buildSchedule(
    graphOf(`
      %0 = input() {name="x", type=f32[${batch},${inputs},${size},${size}]}
      %1 = input() {name="g", type=f32[${batch},${outputs},${to * to}]}
      %2 = reshape(%1) {shape=[${batch}, ${outputs}, ${to}, ${to}]}
      %3 = conv_weight_gradient(%0, %2) {stride=[${stride}, ${stride}], padding=[${padding}, ${padding}], kernel=[${kernel}, ${kernel}]}
      return output=%3
    `),
    target,
    undefined,
    { strict },
  );
  const group = schedule.groups.find((one) => one.kind === 'weight_gradient');
  if (group?.kind !== 'weight_gradient') throw new Error('no gradient of a weight');
  return { ...schedule, group };
}

function tileOf(shape: Shape, target: Target = SOFTWARE, strict = false): number | null {
  return scheduleOf(shape, target, strict).group.winograd;
}

describe('the gradient of a weight', () => {
  it('takes the tile that costs least, whatever the shape in which the cotangent was written', () => {
    expect(tileOf({})).toBe(4);
    expect(tileOf({ size: 31, inputs: 96 })).toBe(4);
    expect(tileOf({ size: 8, inputs: 256, outputs: 256 })).toBe(2);
  });

  it.each<[string, Shape]>([
    ['strided', { stride: 2 }],
    ['1x1', { kernel: 1, padding: 0 }],
    ['without padding', { padding: 0 }],
    ['of few pixels', { batch: 1, size: 2 }],
  ])('is a product for each tap where it is %s', (_, shape) => {
    expect(tileOf(shape)).toBe(null);
  });

  it('is one on GPUs, and where it is to be as exact as the plain one', () => {
    expect(tileOf({}, GENERIC)).toBe(null);
    expect(tileOf({}, SOFTWARE, true)).toBe(null);
  });

  it('computes a large batch in parts', () => {
    const { graph, group } = scheduleOf({ batch: 64 }, SOFTWARE, false);
    const { tiles, samples, input, cotangent } = weightPlanes(graph, group, 4);
    expect(tiles).toBe(64);
    expect(samples).toBe(12);
    expect(input).toBe(36 * 32 * (samples * 64 + 8) * 16); // quads of tiles of all samples, an odd number of octets
    expect(cotangent).toBe(input);
  });
});
