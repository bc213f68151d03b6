// What training computes again where a limit is given: never the choices of kernels, less work for more memory, and a manifest that
// says it.

import { describe, expect, test } from 'vitest';
import { type CompileOptions, compileGraph, trainingBlocks } from '../../compiler/compile.ts';
import { blocksOf } from '../../compiler/graph/graph.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { printSchedule } from '../../compiler/schedule/print.ts';
import { GENERIC, SOFTWARE } from '../../compiler/target.ts';
import { compareBundle } from '../../engine/compile/compare-bundle.ts';
import { packageVersion } from '../../engine/package.ts';
import { memoryOf } from '../../runtime/bundle.ts';
import { inSlices } from '../fixtures/in-slices.ts';
import { goldenTraining, trainingGraph } from '../training-cases.ts';

const { graph } = goldenTraining('hybrid');
const paths = blocksOf(graph);
const training = { averages: 1, accumulates: false };

/** The groups of a schedule without their indices and the numbers of their values. */
function groupsOf(options: CompileOptions): readonly string[] {
  const lines = printSchedule(compileGraph(graph, options).schedule).split('\n');
  return lines.map((line) => line.replace(/^#\d+ /, '').replace(/%\d+/g, '%'));
}

describe.each([
  ['generic', GENERIC],
  ['generic in slices', inSlices(GENERIC)],
  ['software', SOFTWARE],
] as const)('on %s', (_, target) => {
  const usual: CompileOptions = { target, batch: 16, training, dropout: true };

  test('every group is there as without, and what is computed again is computed as before', () => {
    const kept = groupsOf({ ...usual, recomputed: [] });
    const again = groupsOf({ ...usual, recomputed: paths });
    const repeated = again.filter((line) => line.endsWith('.recomputed'));
    expect(repeated.length).toBeGreaterThan(paths.length);
    expect(again.filter((line) => !line.endsWith('.recomputed')).sort()).toEqual([...kept].sort());
    for (const line of repeated) expect(kept).toContain(line.slice(0, -'.recomputed'.length));
  });

  test('more memory never costs more work, and every limit is kept that can be', () => {
    const compile = (options: CompileOptions) =>
      compileGraph(graph, { ...usual, ...options }).bundle.manifest;
    const [most, least] = [compile({ recomputed: [] }), compile({ memoryLimit: 1 })];
    expect(memoryOf(least)).toBeLessThan(memoryOf(most));
    const work = ({ dispatches }: typeof most) => dispatches.reduce((sum, { flops }) => sum + flops, 0);
    let before = Number.POSITIVE_INFINITY;
    for (const share of [0, 0.3, 0.7, 1]) {
      const limit = Math.ceil(memoryOf(least) + share * (memoryOf(most) - memoryOf(least)));
      const fitted = compile({ memoryLimit: limit });
      expect(memoryOf(fitted), `${share}`).toBeLessThanOrEqual(limit);
      expect(work(fitted), `${share}`).toBeLessThanOrEqual(before);
      before = work(fitted);
    }
    expect(compile({ memoryLimit: memoryOf(most) })).toEqual(most);
  });
});

test('in float16 blocks keep half the bytes of their activations', () => {
  const keptIn = (precision: 'f32' | 'f16') =>
    trainingBlocks(graph, { batch: 16, target: GENERIC, training, precision }).reduce(
      (sum, { bytes }) => sum + bytes,
      0,
    );
  expect(keptIn('f16') / keptIn('f32')).toBeCloseTo(0.5, 1);
});

test('microbatches first give up weights that stand packed, where these are most', () => {
  const options: CompileOptions = {
    batch: 1,
    target: SOFTWARE,
    training: { averages: 0, accumulates: true },
  };
  const { manifest } = compileGraph(graph, options).bundle;
  const fitted = compileGraph(graph, { ...options, memoryLimit: memoryOf(manifest) - 1e4 }).bundle.manifest;
  expect(fitted.compiler.passing).toBe('all');
  expect(memoryOf(fitted)).toBeLessThan(memoryOf(manifest));
});

test('use_checkpoint is all blocks, in both forms, and a bundle says which', () => {
  const spec = JSON.parse(trainingGraph('hybrid'));
  const text = JSON.stringify({ ...spec, unet: { ...spec.unet, use_checkpoint: true } });
  const checkpointed = loadGraph(text, 'hybrid').graph;
  const options: CompileOptions = { batch: 2, training, dropout: true, version: packageVersion() };
  const { bundle } = compileGraph(checkpointed, options);
  expect(bundle.manifest.compiler.recomputed).toEqual(paths);
  const explicit = loadGraph(JSON.stringify(bundle.manifest.graph), 'explicit').graph;
  expect(explicit.use_checkpoint).toBe(true);
  expect(compileGraph(explicit, options).bundle.manifest).toEqual(bundle.manifest);
  expect(compareBundle(bundle, checkpointed, 'b')).toBe(true);
  const limited = compileGraph(checkpointed, { ...options, memoryLimit: 1e12 }).bundle.manifest;
  expect(limited.compiler.recomputed).toBeUndefined();
  expect(compileGraph(checkpointed, { batch: 2 }).bundle.manifest.compiler.recomputed).toBeUndefined();
});

test('each block says what it keeps and what it takes to compute that again', () => {
  const costs = trainingBlocks(graph, { batch: 2, training });
  expect(costs.map(({ path }) => path)).toEqual(paths);
  for (const { path, bytes, flops } of costs) {
    expect(bytes, path).toBeGreaterThan(0);
    expect(flops, path).toBeGreaterThan(0);
  }
});
