// Passes are cut into submissions that no driver's watchdog ends, and what is submitted is whole.

import { expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { openNullDevice } from '../../runtime/host/node/dawn.ts';
import { createProgram } from '../../runtime/program.ts';
import { createCuts, cutsOf, mostOperations } from '../../runtime/submissions.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { unetc } from '../unetc.ts';

test('a submission begins where what was given no longer fits, and with what never does', () => {
  const begins = createCuts(10);
  expect([4, 6, 1, 0, 30, 9, 1, 1].map(begins)).toEqual([false, false, true, false, true, true, false, true]);
});

test('no driver watches over a processor', () => {
  expect(mostOperations({ isFallback: true })).toBe(Number.POSITIVE_INFINITY);
  const dispatches = [3e11, 2e11, 1, 4e11].map((flops) => ({ flops }) as never);
  expect(cutsOf({ dispatches })).toEqual([2]);
});

test('a pass is as many command buffers as its cuts say, after a first one that is a dispatch each', async () => {
  const { graph } = loadGraph(SMALL_GRAPH, 'small');
  const { bundle } = compileGraph(graph);
  const flops = bundle.manifest.dispatches.map((one) => one.flops);
  const operations = Math.max(...flops);
  const opened = await openNullDevice();
  const program = await createProgram(bundle, weightsOf(graph, 1), opened, { operations });
  const { queue } = opened.device;
  const submit = queue.submit.bind(queue);
  let submitted = 0;
  Object.defineProperty(queue, 'submit', {
    value: (buffers: Iterable<GPUCommandBuffer>) => {
      submitted++;
      submit(buffers);
    },
  });
  const inputs = { x: { shape: [1, 1, 8, 8], data: new Float32Array(64) }, timesteps: [1] };
  try {
    await program.run(inputs);
    expect(submitted).toBeGreaterThan(flops.length - bundle.manifest.time_path.dispatches);
    submitted = 0;
    await program.run(inputs);
    const begins = createCuts(operations);
    const cuts = flops.slice(bundle.manifest.time_path.dispatches).filter(begins).length;
    expect(cuts).toBeGreaterThan(1);
    expect(submitted).toBe(cuts + 1);
  } finally {
    program.close();
    await opened.close();
  }
});

test('stats says where', async () => {
  const { stdout } = await unetc('stats', 'graphs/cifar10.json', '--batch', '64');
  expect(stdout).toMatch(/^ {2}submissions +3 {2}cut before dispatch \d+, \d+$/m);
  expect((await unetc('stats', 'graphs/cifar10.json')).stdout).not.toContain('submissions');
});
