// The experiments of an hour on a GPU, the most telling first: each is one case, one engine and one process, so that a machine
// that is lent for minutes at a time gets through them in any number of calls.

import { basename } from 'node:path';

/** What is measured of a model and batch. */
export type Experiment =
  /** Every kernel compiled, in a process that may die of one. */
  | { readonly kind: 'kernels'; readonly model: string; readonly batch: number }
  /** Where the time goes, beside what the cost model expects. */
  | { readonly kind: 'profile'; readonly model: string; readonly batch: number }
  /** Passes of unetc, alone or beside one other engine. */
  | { readonly kind: 'bench'; readonly model: string; readonly batch: number; readonly peer: string | null };

/** Peers in the order of what they take: those that compile for minutes come last. */
const PEERS = ['torch-f16', 'torch-channels-last', 'ort-webgpu', 'torch-compile'] as const;

/** All experiments of models and batches: whether it runs at all, how fast, where the time goes, then the others. */
export function planExperiments(
  models: readonly string[],
  batches: readonly number[],
): readonly Experiment[] {
  const cases = batches.flatMap((batch) => models.map((model) => ({ model, batch })));
  return [
    ...models.map((model): Experiment => ({ kind: 'kernels', model, batch: batches[0]! })),
    ...cases.map((one): Experiment => ({ kind: 'bench', ...one, peer: null })),
    ...cases.map((one): Experiment => ({ kind: 'profile', ...one })),
    ...PEERS.flatMap((peer) => cases.map((one): Experiment => ({ kind: 'bench', ...one, peer }))),
  ];
}

/** The name of an experiment, which its file has, too: `cifar10-b64-torch-f16`. */
export function nameOf(experiment: Experiment): string {
  const { kind, model, batch } = experiment;
  const what = kind === 'bench' ? (experiment.peer ?? 'unetc') : kind;
  return `${basename(model, '.json')}-b${batch}-${what}`;
}

/** The words of `unetc` that an experiment is, `options` of the caller behind them. */
export function wordsOf(
  experiment: Exclude<Experiment, { kind: 'kernels' }>,
  options: readonly string[],
): readonly string[] {
  const { kind, model, batch } = experiment;
  const purpose = batch === 1 ? 'latency' : 'throughput';
  const common = [kind, model, '--precision', 'f16', '--batch', String(batch), '--for', purpose, '--json'];
  if (kind === 'profile') return [...common, '--runs', '10'];
  const against = experiment.peer === null ? [] : ['--against', experiment.peer];
  return [...common, '--runs', '30', '--warmup', '5', ...against, ...options];
}
