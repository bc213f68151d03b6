// Reads its share of the inputs in a thread of its own, so that one without an end can be ended.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { type Failed, judge } from './one.ts';
import { PARSERS } from './parsers/table.ts';

/** What the thread is to read, parser by parser, from an index to below another. */
export interface WorkerTask {
  readonly seed: number;
  readonly runs: readonly { readonly parser: string; readonly from: number; readonly end: number }[];
  /** Two numbers that the other side may always read: the run and the index under way. */
  readonly place: SharedArrayBuffer;
}

/** What the thread tells: an input that failed, or a run that is done. */
export type WorkerMessage =
  | { readonly kind: 'failed'; readonly failed: Failed }
  | {
      readonly kind: 'done';
      readonly parser: string;
      readonly inputs: number;
      readonly taken: number;
      readonly seconds: number;
    };

process.setSourceMapsEnabled(true);
const { seed, runs, place } = workerData as WorkerTask;
const state = new Int32Array(place);
const folder = mkdtempSync(path.join(os.tmpdir(), 'unetc-fuzz-'));
const at = (name: string): string => path.join(folder, name);
// commands must find nothing to do for them
process.env.UNETC_ADAPTER ??= 'no adapter for command lines that are drawn at random';

const tell = (message: WorkerMessage): void => parentPort!.postMessage(message);

try {
  for (const [run, { parser: name, from, end }] of runs.entries()) {
    const parser = PARSERS.find((one) => one.name === name)!;
    const start = performance.now();
    let read = 0;
    for (let index = from; index < end; index++) {
      Atomics.store(state, 0, run);
      Atomics.store(state, 1, index);
      const { taken, failed } = await judge(parser, seed, index, at);
      if (taken) read++;
      if (failed !== null) tell({ kind: 'failed', failed });
    }
    const seconds = (performance.now() - start) / 1000;
    tell({ kind: 'done', parser: name, inputs: end - from, taken: read, seconds });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
