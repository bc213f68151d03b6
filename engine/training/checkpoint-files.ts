// A checkpoint as files: the parameters, each moving average, and the state of the optimizer with all else that a run goes on
// by. They are written apart and then named one right after the other, the parameters last.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { toExplicit } from '../../compiler/graph/explicit.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { makeFolder, writeFile } from '../../runtime/host/node/files.ts';
import { guarded } from '../../runtime/host/node/system-faults.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import { safetensorsChunks, type TensorToWrite } from '../../runtime/weights/safetensors-write.ts';
import { GRAPH_KEY } from '../graph/carried-graph.ts';
import { placeInside } from '../jobs/inside.ts';
import type { LoopState } from './loop.ts';
import type { SavedCheckpoint } from './run-manifest.ts';
import { RUN_KEY, STATE_KEY, stateTensors, stateText } from './saved-state.ts';
import { rateText } from './settings.ts';

export interface CheckpointOwner {
  readonly out: string;
  readonly graph: Graph;
  readonly ema_rates: readonly number[];
  /** Tells the files of this run from those of others. */
  readonly run: string;
}

const digits = (step: number): string => String(step).padStart(6, '0');
export const modelName = (step: number): string => `model${digits(step)}.safetensors`;
export const emaName = (rate: number, step: number): string =>
  `ema_${rateText(rate)}_${digits(step)}.safetensors`;
export const optimizerName = (step: number): string => `opt${digits(step)}.safetensors`;

/** Whether a file's name is one that checkpoints have. */
export function isCheckpointName(name: string): boolean {
  return /^(model|opt|ema_[\d.e-]+_)\d{6,}\.safetensors$/.test(name);
}

/** Where a checkpoint's files are written before they have their names. */
const STAGE = '.unetc/train/next';

/**
 * Writes what a step has now. Rejects with RuntimeError('output'); then none of the files has its name, or what has one is
 * whole and stands in no manifest.
 */
export async function writeCheckpoint(
  owner: CheckpointOwner,
  step: TrainingStep,
  state: LoopState,
): Promise<SavedCheckpoint['files']> {
  const { out, graph, ema_rates, run } = owner;
  const carried = { format: 'pt', [GRAPH_KEY]: JSON.stringify(toExplicit(graph)), [RUN_KEY]: run };
  const names: { readonly name: string; readonly sha256: string }[] = [];
  const stage = placeInside(out, STAGE);
  const put = (
    name: string,
    tensors: readonly TensorToWrite[],
    metadata: Readonly<Record<string, string>>,
  ) => {
    const hash = createHash('sha256');
    writeFile(path.join(stage, name), hashed(safetensorsChunks(tensors, metadata), hash));
    names.push({ name, sha256: hash.digest('hex') });
  };
  clearStage(out);
  makeFolder(stage);
  try {
    const moments = [
      ...prefixed('exp_avg', await step.read({ kind: 'exp_avg' })),
      ...prefixed('exp_avg_sq', await step.read({ kind: 'exp_avg_sq' })),
    ];
    put(optimizerName(state.position), [...moments, ...stateTensors(state)], {
      format: 'pt',
      [RUN_KEY]: run,
      [STATE_KEY]: stateText(state),
    });
    for (const [index, rate] of ema_rates.entries()) {
      put(emaName(rate, state.position), weights(await step.read({ kind: 'ema', index })), carried);
    }
    put(modelName(state.position), weights(await step.read({ kind: 'parameters' })), carried);
    for (const { name } of names) {
      const place = placeInside(out, name);
      guarded({ kind: 'output', label: place }, () => fs.renameSync(path.join(stage, name), place));
    }
  } finally {
    // a disk that is full has use for what was written
    clearStage(out);
  }
  return names.map(({ name, sha256 }) => ({ file: name, sha256 })).reverse();
}

/** Removes what a run that was killed while it saved has left. */
export function clearStage(out: string): void {
  const stage = placeInside(out, STAGE);
  guarded({ kind: 'output', label: stage }, () => fs.rmSync(stage, { recursive: true, force: true }));
}

function* hashed(chunks: Iterable<Uint8Array>, hash: ReturnType<typeof createHash>): Generator<Uint8Array> {
  for (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

function weights(tensors: ReadonlyMap<string, Tensor>): readonly TensorToWrite[] {
  return [...tensors].map(([name, { shape, data }]) => ({ name, shape, dtype: 'F32', data: () => data }));
}

function prefixed(prefix: string, tensors: ReadonlyMap<string, Tensor>): readonly TensorToWrite[] {
  return weights(new Map([...tensors].map(([name, tensor]) => [`${prefix}.${name}`, tensor])));
}
