// The heap of a run of training that draws pictures of samples. V8 keeps the machine code of functions in the heap, and makes
// more of it the longer they run, some megabytes in the end: here it makes none, and what the heap gains is held by something.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { LEAST_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const api = pathToFileURL(path.join(import.meta.dirname, '..', '..', 'dist', 'engine', 'api.js')).href;
const diffusion = { steps: 8, noise_schedule: 'cosine' };
const graph = { ...(JSON.parse(LEAST_GRAPH) as object), diffusion };

const PICTURES = 16;
/** Eight pictures that each left 80 kB would be twice as much. */
const KILOBYTES = 300;

test('is flat over its pictures', async () => {
  const program = `
    import { batchesBy, train } from ${JSON.stringify(api)};
    const data = new Float32Array(16).fill(0.5);
    const run = train(${JSON.stringify(graph)}, {
      data: batchesBy(() => ({ x_start: { shape: [1, 1, 4, 4], data } })),
      ...{ batch: 1, steps: ${PICTURES}, sample_interval: 1, output: ${JSON.stringify(at('run'))} },
    });
    const heap = [];
    for await (const { step } of run) {
      if (step !== ${PICTURES / 2 - 2} && step !== ${PICTURES - 2}) continue;
      await new Promise((resolve) => setTimeout(resolve));
      for (let i = 0; i < 3; i++) gc();
      heap.push(process.memoryUsage().heapUsed / 1024);
    }
    console.log(JSON.stringify(heap));
  `;
  const flags = ['--expose-gc', '--no-opt', '--no-sparkplug', '--input-type=module'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', program]);
  const [first, last] = JSON.parse(stdout) as [number, number];
  expect(last - first).toBeLessThan(KILOBYTES);
}, 300_000);
