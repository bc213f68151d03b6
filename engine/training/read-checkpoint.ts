// A checkpoint of a run, read back: every file with the bytes that the manifest says, tensor by tensor into the step.

import path from 'node:path';
import { type ByteSource, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { turnsOf } from '../../runtime/host/node/turns.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import {
  readEntry,
  readHeader,
  type SafetensorsHeader,
  type StoredTensor,
} from '../../runtime/weights/safetensors.ts';
import { isIntactLarge } from '../jobs/manifest.ts';
import { emaName, modelName, optimizerName } from './checkpoint-files.ts';
import type { LoopState } from './loop.ts';
import type { SavedCheckpoint } from './run-manifest.ts';
import { RUN_KEY, readState } from './saved-state.ts';

type Parameters = TrainingStep['parameters'];

/** What a parameter is called in the file of an earlier run; null for one that is new, with moments of zero. */
export type FormerName = (name: string) => string | null;

const SAME: FormerName = (name) => name;

/** The files of a checkpoint that are not as they were written, or are gone. */
export async function damagedFiles(
  out: string,
  { files }: SavedCheckpoint,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const takeTurn = turnsOf(signal);
  const damaged: string[] = [];
  for (const file of files) {
    if (!(await isIntactLarge(out, file, takeTurn))) damaged.push(file.file);
  }
  return damaged;
}

/** Whether a file's header says that one of these runs wrote it; one that cannot be read was not. */
export function isOfRun(file: string, runs: ReadonlySet<string>): boolean {
  try {
    return withFile({ kind: 'output', label: file }, ({ header }) =>
      runs.has(header.metadata.get(RUN_KEY) ?? ''),
    );
  } catch {
    return false;
  }
}

/** Puts a checkpoint in its place. Rejects with RuntimeError('output') where it is not one of this model. */
export async function restoreCheckpoint(
  out: string,
  { step: position }: SavedCheckpoint,
  step: TrainingStep,
  { ema_rates, timesteps }: { readonly ema_rates: readonly number[]; readonly timesteps: number },
): Promise<LoopState> {
  const origin = (name: string): Origin => ({ kind: 'output', label: path.join(out, name) });
  await step.write({ kind: 'parameters' }, readNamed(origin(modelName(position)), '', step.parameters));
  for (const [index, rate] of ema_rates.entries()) {
    await step.write({ kind: 'ema', index }, readNamed(origin(emaName(rate, position)), '', step.parameters));
  }
  return restoreOptimizer(origin(optimizerName(position)), step, timesteps);
}

/** Holds a file to the parameters of a model, by its header. Throws RuntimeError where it is not their optimizer's. */
export function checkOptimizer(
  origin: Origin,
  parameters: Parameters,
  timesteps: number,
  formerName: FormerName = SAME,
): LoopState {
  return withFile(origin, ({ header, tensor }) => {
    const state = readState(header, tensor, origin, timesteps);
    const entries = new Map(header.entries.map((entry) => [entry.name, entry]));
    for (const { name, shape } of parameters) {
      const former = formerName(name);
      if (former === null) continue;
      for (const prefix of ['exp_avg.', 'exp_avg_sq.']) {
        checkEntry(entries.get(`${prefix}${former}`) ?? null, `${prefix}${former}`, shape, origin);
      }
    }
    return state;
  });
}

/** Puts the moments of a file in their place, and gives where its run was. Rejects with RuntimeError of the origin's kind. */
export async function restoreOptimizer(
  origin: Origin,
  step: TrainingStep,
  timesteps: number,
  formerName: FormerName = SAME,
): Promise<LoopState> {
  const state = withFile(origin, ({ header, tensor }) => readState(header, tensor, origin, timesteps));
  const trained = step.parameters.filter(({ name }) => !step.frozen.has(name));
  for (const kind of ['exp_avg', 'exp_avg_sq'] as const) {
    await step.write({ kind }, readNamed(origin, `${kind}.`, trained, formerName));
  }
  return state;
}

/** A tensor for every parameter. Throws RuntimeError of the origin's kind. */
export function readNamed(
  origin: Origin,
  prefix: string,
  parameters: Parameters,
  formerName: FormerName = SAME,
): ReadonlyMap<string, Tensor> {
  return withFile(origin, ({ tensor }) => {
    return new Map(
      parameters.map(({ name, shape }) => {
        const former = formerName(name);
        if (former === null) return [name, { shape, data: new Float32Array(elements(shape)) }];
        const found = tensor(`${prefix}${former}`);
        checkEntry(found, `${prefix}${former}`, shape, origin);
        return [name, { shape, data: found!.data as Float32Array }];
      }),
    );
  });
}

function checkEntry(
  found: Pick<StoredTensor, 'dtype' | 'shape'> | null,
  name: string,
  shape: readonly number[],
  origin: Origin,
): void {
  if (found?.dtype === 'F32' && found.shape.join() === shape.join()) return;
  if (found === null && name.startsWith('exp_avg')) {
    throw fault(
      origin,
      `the tensor "${name}" is missing: the file is of another model, or of a run in which that parameter was frozen; freeze it ` +
        'here, too, or begin without the state of an optimizer',
    );
  }
  const said = found === null ? 'is missing' : `is ${found.dtype} [${found.shape.join(', ')}]`;
  throw fault(
    origin,
    `the tensor "${name}" ${said}, expected F32 [${shape.join(', ')}]; it is of another model`,
  );
}

interface OpenTensors {
  readonly header: SafetensorsHeader;
  tensor(name: string): StoredTensor | null;
}

function withFile<T>(origin: Origin, use: (opened: OpenTensors) => T): T {
  const source: ByteSource = openFile(origin);
  try {
    const header = readHeader(source, origin);
    const entries = new Map(header.entries.map((entry) => [entry.name, entry]));
    const tensor = (name: string) => {
      const entry = entries.get(name);
      return entry === undefined ? null : readEntry(entry, source);
    };
    return use({ header, tensor });
  } finally {
    source.close();
  }
}
