// Threads that render pictures, so that decoding never holds up the thread that feeds the adapter. Tasks are taken in the
// order in which they are given; which thread does one makes no difference to its result.

import { Worker } from 'node:worker_threads';
import { shipped } from '../../compiler/shipped.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { OptionError } from '../errors.ts';
import { type Rendered, type RenderTask, render } from './render.ts';
import type { FromWorker, ToWorker } from './worker.ts';

export interface Pool {
  /** 0 where tasks are done in the calling thread. */
  readonly threads: number;
  /** Rejects where the pool is closed, and for faults of ours. */
  render(task: RenderTask): Promise<Rendered>;
  /** Ends every thread after the task that it is at; tasks that wait are rejected. */
  close(): Promise<void>;
}

/** Tasks that a thread has at once: one is decoded by libvips, off the thread, while it reduces another. */
const IN_HAND = 2;
/** How long a thread may take to end by itself. */
const PATIENCE_MS = 5000;

interface Job {
  readonly task: RenderTask;
  readonly resolve: (rendered: Rendered) => void;
  readonly reject: (reason: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
  readonly ended: Promise<void>;
}

/** Why a thread ended: for the pictures that it had in hand, or because the system did not let it start or go on. */
function endOf({ jobs }: Thread, { code, message }: NodeJS.ErrnoException): RuntimeError {
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return notStarted(message);
  const files = [...jobs.values()].flatMap(({ task: { source } }) =>
    source.kind === 'file' ? [source.file] : [],
  );
  return new RuntimeError(
    'input',
    `a thread that reads pictures ended (${message}) with ${files.join(', ')} in hand; remove the file, or make it smaller`,
  );
}

function notStarted(message: string): RuntimeError {
  return new OptionError(
    'input',
    (option) =>
      `a thread that reads pictures cannot run (${message}): raise the limits of the process (\`ulimit -n\`, \`ulimit -u\`), or ` +
      `read them without threads by ${option('workers')} 0`,
  );
}

/** Whether this is the build: what runs from its sources (tests) has no file that a thread could start from. */
const BUILT = import.meta.filename.endsWith('.js');

/** @param threads 0 renders in the calling thread, as does whatever runs from sources */
export function createPool(threads: number): Pool {
  if (threads === 0 || !BUILT) return { threads: 0, render, close: async () => undefined };
  return createThreads(threads, shipped('engine/data/worker.js'));
}

function createThreads(count: number, file: string): Pool {
  const waiting: Job[] = [];
  let threads: readonly Thread[] = [];
  let broken: Error | null = null;
  let nextId = 0;

  const fail = (error: Error): void => {
    broken ??= error;
    for (const job of waiting.splice(0)) job.reject(broken);
    for (const { jobs } of threads) {
      for (const job of jobs.values()) job.reject(broken);
      jobs.clear();
    }
  };
  const settle = (thread: Thread, message: FromWorker): void => {
    const job = thread.jobs.get(message.id);
    thread.jobs.delete(message.id);
    if (thread.jobs.size === 0) thread.worker.unref();
    if ('rendered' in message) job?.resolve(message.rendered);
    else job?.reject(new Error(`internal: a thread that reads pictures failed: ${message.fault}`));
    give();
  };
  const start = (): Thread => {
    // flags of the process are not the thread's: some (--input-type) would keep it from starting
    const worker = new Worker(file, { execArgv: [] });
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', (code) => {
        fail(new Error(`internal: a thread that reads pictures ended with ${code}`));
        resolve();
      });
    });
    const thread: Thread = { worker, jobs: new Map(), ended };
    worker.on('message', (message: FromWorker) => settle(thread, message));
    worker.on('error', (error: NodeJS.ErrnoException) => fail(endOf(thread, error)));
    // a pool that nobody closes keeps no process alive
    worker.unref();
    return thread;
  };
  const give = (): void => {
    while (waiting.length > 0) {
      if (threads.length < count && threads.every(({ jobs }) => jobs.size > 0))
        threads = [...threads, start()];
      const thread = threads.reduce((least, one) => (one.jobs.size < least.jobs.size ? one : least));
      if (thread.jobs.size >= IN_HAND) return;
      const job = waiting.shift()!;
      const id = nextId++;
      thread.jobs.set(id, job);
      thread.worker.ref();
      thread.worker.postMessage({ kind: 'task', id, task: job.task } satisfies ToWorker);
    }
  };

  return {
    threads: count,
    render: (task) =>
      new Promise((resolve, reject) => {
        if (broken !== null) return reject(broken);
        waiting.push({ task, resolve, reject });
        give();
      }),
    async close() {
      fail(new RuntimeError('input', 'the data was closed; open it again'));
      for (const { worker } of threads) {
        worker.ref();
        worker.postMessage({ kind: 'end' } satisfies ToWorker);
      }
      await Promise.all(
        threads.map(async ({ worker, ended }) => {
          const timer = setTimeout(() => void worker.terminate(), PATIENCE_MS);
          await ended;
          clearTimeout(timer);
        }),
      );
    },
  };
}
