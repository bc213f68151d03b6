// `unetc bench` on the adapter: the document, and that every engine computes the same. Speed is not tested.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { BenchResult } from '../../cli/bench/bench.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();

function small(): string {
  fs.writeFileSync(at('small.json'), SMALL_GRAPH);
  return at('small.json');
}

function graph(name: string): string {
  fs.writeFileSync(at(`${name}.json`), goldenGraph(name));
  return at(`${name}.json`);
}

test('alone: one document with what was measured', async () => {
  const result = await unetcJson<BenchResult>('bench', small(), '--runs', '2', '--warmup', '1');
  expect(result).toMatchObject({ exit: 0, name: 'small', batch: 1, runs: 2, warmup: 1, peers: [] });
  const { ms_median, ms_min, cold_start_ms, rss_peak_bytes, dispatches, pipelines } = result;
  expect(ms_min).toBeGreaterThan(0);
  expect(ms_median).toBeGreaterThanOrEqual(ms_min);
  expect(cold_start_ms).toBeGreaterThan(ms_min);
  expect(rss_peak_bytes).toBeGreaterThan(1e7);
  expect(pipelines).toBeLessThanOrEqual(dispatches);
  expect(result.gflops_per_s).toBeCloseTo(result.flops / ms_median / 1e6, 6);
  expect([result.adapter, result.driver, result.version].every((text) => text.length > 0)).toBe(true);
  expect(result.cold_start_without_cache_ms).toBeNull();
});

test.each([
  ['tiny-additive-class', '3'],
  ['tiny-superres', '1'],
])('beside ONNX Runtime: %s agrees', async (name, batch) => {
  const words = ['--batch', batch, '--runs', '1', '--warmup', '0', '--target', 'generic'];
  const result = await unetcJson<BenchResult>(
    ...['bench', graph(name), ...words, '--against', 'ort-cpu,ort-wasm,torch', '--python', '/no/such/python'],
  );
  const [torch, ...onnx] = result.peers.toReversed();
  expect(onnx.map(({ name }) => name)).toEqual(['ort-wasm', 'ort-cpu']);
  for (const peer of onnx) {
    if (peer.status !== 'measured') throw new Error(JSON.stringify(peer));
    expect(peer.relative_l2).toBeLessThan(1e-5);
    expect(peer.ratio).toBeCloseTo(peer.ms_median / result.ms_median, 9);
  }
  expect(torch).toMatchObject({ name: 'torch', status: 'absent' });
});

test('steps of training, beside peers that take none', async () => {
  const words = ['--train', '--batch', '2', '--runs', '1', '--warmup', '0', '--against', 'ort-cpu,torch'];
  const result = await unetcJson<BenchResult>('bench', small(), ...words, '--python', '/no/such/python');
  expect(result).toMatchObject({ exit: 0, batch: 2, training: true });
  // forward pass, gradients by input and by weights, and the update
  const forward = await unetcJson<BenchResult>(
    'bench',
    small(),
    '--batch',
    '2',
    '--runs',
    '1',
    '--warmup',
    '0',
  );
  expect(result.flops).toBeGreaterThan(2 * forward.flops);
  expect(result.peers.map(({ name, status }) => [name, status])).toEqual([
    ['ort-cpu', 'absent'],
    ['torch', 'absent'],
  ]);
});

test('several batches are cases; a bundle has its own', async () => {
  const words = ['--runs', '1', '--warmup', '0'];
  const { cases } = await unetcJson<{ cases: readonly BenchResult[] }>(
    ...['bench', small(), '--batch', '1,2', ...words],
  );
  expect(cases.map(({ name, batch }) => [name, batch])).toEqual([
    ['small', 1],
    ['small', 2],
  ]);
  await unetc('compile', small(), '-o', at('b'), '--batch', '2');
  const bundle = await unetcJson<BenchResult>('bench', at('b'), ...words);
  expect(bundle).toMatchObject({ exit: 0, batch: 2, target: 'generic' });
});

test('the table', async () => {
  const { exit, stdout } = await unetc('bench', small(), '--runs', '1', '--warmup', '0', '--markdown');
  expect(exit).toBe(0);
  expect(stdout).toMatch(/^\| model \| batch \| engine \|.*\n\| --- .*\n\| small \| 1 \| unetc \(/);
});

test('what an engine refuses is told as every command tells it', async () => {
  const most = await unetcJson('bench', small(), '--memory', '100kB');
  expect(most).toMatchObject({ exit: 2, error: { kind: 'usage' } });
  expect(most).toHaveProperty('error.message', expect.stringMatching(/^--memory .* MB: small for 1 image/));
  const training = await unetcJson('bench', small(), '--train', '--memory', '100kB');
  expect(training).toMatchObject({ exit: 2, error: { kind: 'usage' } });
  const large = await unetcJson('bench', 'graphs/mnist.json', '--size', '4096');
  expect(large).toMatchObject({ exit: 3, error: { kind: 'graph' } });
  expect(large).toHaveProperty('error.diagnostics.0.code', 'G022');
});
