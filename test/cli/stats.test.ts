import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { GraphStats } from '../../engine/compile/graph-stats.ts';
import { ADM_NAMES, DIFFUSERS_NAMES, GOLDEN_NAMES, goldenCase, goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();

describe('unetc stats', () => {
  test.each([...ADM_NAMES, ...DIFFUSERS_NAMES])(
    'counts the parameters of %s as the original does',
    async (name) => {
      writeFileSync(at('graph.json'), goldenGraph(name));
      const stats = await unetcJson<GraphStats>('stats', at('graph.json'));
      expect(stats).toMatchObject({ exit: 0, params: goldenCase(name).params });
    },
  );

  test.each(GOLDEN_NAMES)('counts %s as PyTorch does', async (name) => {
    writeFileSync(at('graph.json'), goldenGraph(name));
    const { params, tensors, macs, inputs } = goldenCase(name);
    const stats = await unetcJson<GraphStats>('stats', at('graph.json'), '--batch', String(inputs.x[0]));
    expect(stats).toMatchObject({ exit: 0, params, tensors });
    expect(stats.macs).toEqual(macs);
  });

  test('counts one image where --batch does not say, and each further one alike', async () => {
    const one = await unetcJson<GraphStats>('stats', 'graphs/mnist.json');
    const four = await unetcJson<GraphStats>('stats', 'graphs/mnist.json', '--batch', '4');
    expect(one.batch).toBe(1);
    for (const kind of ['conv', 'linear', 'attention'] as const) {
      expect(four.macs[kind]).toBe(4 * one.macs[kind]);
    }
    expect(four).toMatchObject({ params: one.params, weight_bytes: 4 * one.params });
    expect(four.activation_peak_bytes).toBeGreaterThan(3 * one.activation_peak_bytes);
    expect(four.activation_peak_bytes).toBeLessThan(four.activation_bytes_without_reuse);
    expect(one.flops).toBeGreaterThan(2 * (one.macs.conv + one.macs.linear + one.macs.attention));
  });

  test('a graph beyond what the target reaches is a fault of the graph', async () => {
    const large = await unetcJson('stats', 'graphs/mnist.json', '--size', '4096');
    expect(large).toMatchObject({ exit: 3, error: { kind: 'graph', file: 'graphs/mnist.json' } });
    expect(large).toHaveProperty('error.diagnostics.0.code', 'G022');
    expect(large).toHaveProperty('error.diagnostics.0.position.line');
  });

  test('CIFAR-10 takes at most 120 dispatches of at most 40 kernels where sums are exact and nothing is sliced', async () => {
    const whole = ['--strict', '--for', 'throughput'];
    const { dispatches, kernels } = await unetcJson<GraphStats>('stats', 'graphs/cifar10.json', ...whole);
    expect(dispatches).toBeLessThanOrEqual(120);
    expect(kernels).toBeLessThanOrEqual(40);
  });

  test('float16 halves the weights of convolutions and the activations, and keeps to the dispatches', async () => {
    const whole = ['graphs/cifar10.json', '--strict', '--for', 'throughput'];
    const full = await unetcJson<GraphStats>('stats', ...whole);
    const half = await unetcJson<GraphStats>('stats', ...whole, '--precision', 'f16');
    expect(half.precision).toBe('f16');
    expect(half.packed_weight_bytes).toBeLessThan(0.6 * full.packed_weight_bytes);
    expect(half.activation_peak_bytes).toBeLessThan(0.6 * full.activation_peak_bytes);
    expect(half.macs).toEqual(full.macs);
    expect(half.dispatches).toBeLessThanOrEqual(120);
    expect(half.kernels).toBeLessThanOrEqual(40);
  });

  test('convolutions of another size cost as their pixels do', async () => {
    const own = await unetcJson<GraphStats>('stats', 'graphs/mnist.json');
    const larger = await unetcJson<GraphStats>('stats', 'graphs/mnist.json', '--size', '56x28');
    expect(larger.image_size).toEqual([56, 28]);
    expect(larger.macs.conv).toBe(2 * own.macs.conv);
  });

  test('prints a table for people', async () => {
    const { exit, stdout, stderr } = await unetc('stats', 'graphs/mnist.json');
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^mnist: one forward pass of 1 image of 28x28\n/);
    expect(stdout).toMatch(/parameters +1,192,802 {2}in 167 tensors/);
    expect(stdout).toMatch(/activations +\d+\.\d\d MB {2}without reuse \d+\.\d\d MB/);
  });

  test.each([
    [['graphs/none.json'], 3, 'there is no such file'],
    [['graphs/mnist.json', '--batch', '0'], 2, '--batch'],
    [['graphs/mnist.json', '--size', '30'], 3, 'does not survive'],
    [['graphs/mnist.json', '--target', 'quantum'], 2, "--target: found 'quantum', expected one of generic"],
  ])('%j exits %i', async (words, code, message) => {
    const { exit, stdout, stderr } = await unetc('stats', ...words);
    expect([exit, stdout]).toEqual([code, '']);
    expect(stderr).toContain(message);
  });
});
