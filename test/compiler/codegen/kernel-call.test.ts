// A call of a kernel: what it does not declare cannot be given, and what it declares cannot be left out.

import { describe, expect, test } from 'vitest';
import { type CallRequest, callKernel, kernelText } from '../../../compiler/codegen/kernel-call.ts';
import { valueIn } from '../../../compiler/schedule/resources.ts';

function call(changes: Partial<CallRequest> = {}) {
  return callKernel({
    file: 'statistics',
    declared: {
      source0: { kind: 'value', value: 7, home: 'buffer' },
      statistics: { kind: 'statistics', value: 7, merged: false },
    },
    sizes: { pixels: 10, tile_pixels: 256, tiles: 1, quads: 8 },
    workgroups: [1, 1, 1],
    ...changes,
  });
}

test('buffers are bound in the order of the kernel, then those of its hooks', () => {
  const extra = {
    name: 'residual',
    type: 'array<vec4f>',
    access: 'read',
    resource: { kind: 'value', value: 9, home: 'buffer' },
  } as const;
  expect(call({ extra: [extra] }).bindings).toEqual([
    { resource: { kind: 'value', value: 7, home: 'buffer' }, access: 'read' },
    { resource: { kind: 'statistics', value: 7, merged: false }, access: 'read_write' },
    { resource: { kind: 'value', value: 9, home: 'buffer' }, access: 'read' },
  ]);
});

test('sizes are packed in the order of the struct, not of the request', () => {
  const sizes = { quads: 4, pixels: 1, tiles: 3, tile_pixels: 2 };
  expect([...call({ sizes }).sizes]).toEqual([1, 2, 3, 4]);
});

test('sizes that are left out are zero, and the struct is filled up to whole vectors', () => {
  const packed = callKernel({
    file: 'upsample_linear',
    declared: { source0: valueIn(0), result: valueIn(1) },
    sizes: { pixels: 3, ratio_d: 0.5 },
    workgroups: [1, 1, 1],
  }).sizes;
  expect(packed.length).toBe(12);
  expect([...packed.subarray(0, 7)]).toEqual([3, 0, 0, 0, 0, 0, 0]);
  expect(new Float32Array(packed.buffer)[7]).toBe(0.5);
});

test('a size that does not fit in 32 bits is told, not packed', () => {
  expect(call({ sizes: { pixels: 2 ** 32 - 1 } }).overflow).toBeNull();
  expect(call({ sizes: { pixels: 2 ** 32 } }).overflow).toBe('pixels = 4294967296');
});

describe('mismatches', () => {
  test('a buffer that the kernel does not declare', () => {
    const declared = { source1: { kind: 'value', value: 7, home: 'buffer' } } as const;
    expect(() => call({ declared })).toThrow('statistics.wgsl declares no buffer source1');
  });

  test('a buffer that is not given', () => {
    const declared = { source0: { kind: 'value', value: 7, home: 'buffer' } } as const;
    expect(() => call({ declared })).toThrow('statistics.wgsl needs a resource for buffer statistics');
  });

  test('a size that the kernel does not have', () => {
    expect(() => call({ sizes: { pixel: 1 } })).toThrow('statistics.wgsl has no size pixel');
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%s is no size', (pixels) => {
    expect(() => call({ sizes: { pixels } })).toThrow(`size pixels is ${pixels}`);
  });

  test('a constant or a hook that the kernel does not have', () => {
    expect(() => kernelText(call({ consts: { TILE_M: 64 } }))).toThrow('no constant TILE_M');
    expect(() => kernelText(call({ hooks: { prologue: [] } }))).toThrow('no hook prologue');
  });
});
