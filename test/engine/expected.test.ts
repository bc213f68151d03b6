// The cost model: known GPUs, what it reads from kernels, and the times that a review of these kernels came to.

import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { NVIDIA } from '../../compiler/target.ts';
import type { GraphStats } from '../../engine/compile/graph-stats.ts';
import { DEVICES, deviceOf, findDevice } from '../../engine/expected/devices.ts';
import { expectedTimes } from '../../engine/expected/expected-time.ts';
import { fieldsOf, kernelFacts, sharedBytes } from '../../engine/expected/kernel-facts.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { unetc, unetcJson } from '../unetc.ts';

describe('devices', () => {
  test('names are told apart, and every GPU has its source', () => {
    expect(new Set(DEVICES.map(({ name }) => name)).size).toBe(DEVICES.length);
    for (const { name, source, units, ghz } of DEVICES) {
      expect(source.length, name).toBeGreaterThan(10);
      expect(units * ghz, name).toBeGreaterThan(1);
    }
  });

  test('a wrong name lists those that are known', () => {
    expect(() => findDevice('h1000')).toThrow(
      /found 'h1000', expected a GPU that the cost model knows: h100, h200/,
    );
    expect(findDevice('H100').title).toBe('NVIDIA H100 SXM');
  });

  test.each([
    ['NVIDIA H100 80GB HBM3', 'h100'],
    ['NVIDIA H200', 'h200'],
    ['NVIDIA A100-SXM4-80GB', 'a100'],
    ['NVIDIA GeForce RTX 4090', 'rtx4090'],
    ['NVIDIA GeForce RTX 4090 Laptop GPU', undefined],
    ['Apple M1', 'm1'],
    ['Apple M1 Pro', undefined],
    ['AMD Radeon RX 7900 XTX (RADV NAVI31)', 'rx7900xtx'],
    ['Intel(R) Arc(tm) A770 Graphics (DG2)', 'arc-a770'],
    ['llvmpipe (LLVM 15.0.6, 256 bits)', undefined],
  ])('the adapter %s is %s', (device, name) => {
    expect(deviceOf({ device, description: '' })?.name).toBe(name);
  });
});

const KERNEL = `const TILE = 64u;
const ROWS = TILE / 8u;
struct Sizes {
  chunks: u32,      // of channels
  taps: u32,
  skip_chunks: u32,
}
var<workgroup> tile: array<vec4f, TILE * ROWS>;
var<workgroup> norms: array<vec2f, 32>;
`;

test('what is read from a kernel', () => {
  expect(fieldsOf(KERNEL)).toEqual(['chunks', 'taps', 'skip_chunks']);
  expect(sharedBytes(KERNEL)).toBe(64 * 8 * 16 + 32 * 8);
  const facts = kernelFacts('conv_gemm-0123abcd.wgsl', KERNEL);
  expect(facts).toMatchObject({ source: 'conv_gemm', matrix: false });
  expect(facts.stepsOf({ sizes: [4, 9, 2] })).toBe(38);
  expect(facts.sliceBytesOf({ sizes: [4, 9, 2], workgroups: [1, 1, 1] })).toBe(0);
});

test('slices of a product have fewer steps, and are written once and read once', () => {
  const sliced = KERNEL.replace(
    '  skip_chunks',
    '  column_tiles: u32,\n  slice_quads: u32,\n  slice_steps: u32,\n  skip_chunks',
  );
  const facts = kernelFacts('conv_gemm-0123abcd.wgsl', sliced);
  const sizes = [4, 9, 3, 100, 10, 2];
  expect(facts.stepsOf({ sizes })).toBe(10);
  expect(facts.sliceBytesOf({ sizes, workgroups: [2, 3 * 4, 1] })).toBe(4 * 100 * 16);
  const sum = kernelFacts('sum_slices.wgsl', 'struct Sizes {\n  slice_quads: u32,\n  slices: u32,\n}\n');
  expect(sum.stepsOf({ sizes: [100, 7] })).toBe(2);
  expect(sum.sliceBytesOf({ sizes: [100, 7], workgroups: [1, 1, 1] })).toBe(7 * 100 * 16);
});

test('times grow with the batch where arithmetic binds, and hardly where steps do', () => {
  const { graph } = loadGraph(SMALL_GRAPH, 'small');
  const total = (batch: number) => {
    const { bundle } = compileGraph(graph, { target: NVIDIA, precision: 'f16', batch });
    return expectedTimes(bundle, findDevice('h100')).reduce((sum, { us }) => sum + us, 0);
  };
  expect(total(8)).toBeLessThan(1.05 * total(1));
  expect(total(4096)).toBeGreaterThan(4 * total(1));
});

test('the times of a review by hand, within a third', async () => {
  const expected = async (batch: number, purpose: string) => {
    const model = ['--target', 'nvidia', '--precision', 'f16', '--device', 'h100'];
    const words = [...model, '--batch', String(batch), '--for', purpose];
    return (await unetcJson<GraphStats>('stats', 'graphs/cifar10.json', ...words)).expected!.ms;
  };
  for (const [batch, purpose, ms] of [
    [1, 'throughput', 1.95],
    [1, 'latency', 1.1],
    [64, 'throughput', 5.9],
  ] as const) {
    const found = await expected(batch, purpose);
    expect(found).toBeGreaterThan(ms * 0.66);
    expect(found).toBeLessThan(ms * 1.5);
  }
});

test('the table of stats, and targets that are no GPU', async () => {
  const { stdout } = await unetc('stats', 'graphs/mnist.json', '--target', 'generic', '--device', 'm1');
  expect(stdout).toMatch(/^expected on Apple M1, 8 cores, by a model and not measured: \d+\.\d{3} ms$/m);
  expect(stdout).toMatch(
    /^ *\d+ +\d+\.\d {2}(steps|arithmetic|memory|dispatch) +\d+ +\d+ {2}conv_gemm: conv /m,
  );
  const wrong = await unetc('stats', 'graphs/mnist.json', '--target', 'software', '--device', 'm1');
  expect(wrong.exit).toBe(2);
  expect(wrong.stderr).toContain("found m1 for the target software, whose kernels are a processor's");
});
