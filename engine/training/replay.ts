// Steps from a file instead of data and draws: `K.x_start`, `K.noise`, `K.timesteps`, and where they are there `K.weights`,
// `K.y`, `K.low_res`, for the steps K = 0, 1, … of a run. To hold a run against one of another framework.

import type { Graph } from '../../compiler/graph/graph.ts';
import { type ByteSource, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { timestepFaults } from '../../runtime/training/loss-inputs.ts';
import {
  asFloat32,
  readEntry,
  readHeader,
  type SafetensorsEntry,
} from '../../runtime/weights/safetensors.ts';
import { type Batch, type BatchSource, checkBatch, type Wanted } from '../data/batch.ts';
import { createStream } from '../data/stream.ts';
import type { StepBatch, StepSource } from './step-source.ts';

export interface Replay {
  /** Steps that the file has, from 0 on. */
  readonly steps: number;
  /** Samples of the first one. */
  readonly batch: number;
  /** All steps are `batch` samples, and are held to the model as they come. */
  source(from: number, batch: number): StepSource;
  /** The images alone, with their labels and small images. */
  readonly data: BatchSource;
  close(): void;
}

/** Opens the file. Throws RuntimeError('input') where it has no step 0 that the model could take. */
export function openReplay(file: string, wanted: Wanted, { diffusion }: Graph): Replay {
  const origin: Origin = { kind: 'input', label: file };
  const bytes = openFile(origin);
  try {
    const { entries } = readHeader(bytes, origin);
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    let steps = 0;
    while (byName.has(`${steps}.x_start`)) steps++;
    if (steps === 0) {
      throw fault(
        origin,
        'it has no "0.x_start"; the tensors of step K are K.x_start, K.noise and K.timesteps',
      );
    }
    checkComplete(byName, steps, origin);
    const checked = (step: number, batch: number): StepBatch & Batch => {
      if (step >= steps) throw fault(origin, `it has ${steps} steps, and the run asks for step ${step}`);
      const found = readStep(step, { origin, bytes, byName }, diffusion.steps);
      checkBatch(found, batch, wanted, `${file}: step ${step}`);
      return found;
    };
    return {
      steps,
      batch: byName.get('0.x_start')!.shape[0] ?? 0,
      source(from, batch) {
        let step = from;
        return {
          async next() {
            const found = checked(step++, batch);
            return () => found;
          },
          waiting: () => ({ waited: 0, elapsed: 0 }),
          async close() {},
        };
      },
      data: {
        steps: ({ batch, from = 0, signal }) =>
          createStream(async (step) => checked(step, batch), { ahead: 0, from, signal }),
      },
      close: () => bytes.close(),
    };
  } catch (error) {
    bytes.close();
    throw error;
  }
}

/** Throws RuntimeError('input') where a step has some of its tensors alone, or stands behind one that is missing. */
function checkComplete(byName: Opened['byName'], steps: number, origin: Origin): void {
  for (let step = 0; step < steps; step++) {
    const missing = ['noise', 'timesteps'].find((name) => !byName.has(`${step}.${name}`));
    if (missing !== undefined) throw fault(origin, `"${step}.${missing}" is missing; give it for every step`);
  }
  const behind = [...byName.keys()].find((name) => Number(/^(\d+)\.x_start$/.exec(name)?.[1] ?? 0) >= steps);
  if (behind === undefined) return;
  throw fault(
    origin,
    `it has "${behind}", and no "${steps}.x_start"; number the steps from 0 on without a gap`,
  );
}

interface Opened {
  readonly origin: Origin;
  readonly bytes: ByteSource;
  readonly byName: ReadonlyMap<string, SafetensorsEntry>;
}

function readStep(step: number, { origin, bytes, byName }: Opened, timesteps: number): StepBatch & Batch {
  const stored = (name: string) => {
    const entry = byName.get(`${step}.${name}`);
    return entry === undefined ? null : readEntry(entry, bytes);
  };
  const needed = (name: string) => readEntry(byName.get(`${step}.${name}`)!, bytes);
  const numbers = ({ data }: { readonly data: ArrayLike<number | bigint> }) => Array.from(data, Number);
  const x_start = asFloat32(needed('x_start'));
  const noise = asFloat32(needed('noise'));
  const drawn = numbers(needed('timesteps'));
  const count = x_start.shape[0] ?? 0;
  if (noise.shape.join() !== x_start.shape.join()) {
    throw fault(
      origin,
      `"${step}.noise" is [${noise.shape.join(', ')}], expected [${x_start.shape.join(', ')}]`,
    );
  }
  if (drawn.length !== count) {
    throw fault(origin, `"${step}.timesteps" has ${drawn.length} numbers, expected one a sample, ${count}`);
  }
  const faults = timestepFaults(drawn, timesteps);
  if (faults.length > 0) throw fault(origin, `step ${step}: ${faults.join('; ')}`);
  const given = stored('weights');
  const weights = given === null ? new Float32Array(count).fill(1) : asFloat32(given).data;
  if (weights.length !== count || !weights.every((weight) => Number.isFinite(weight))) {
    throw fault(origin, `"${step}.weights" has to be ${count} finite numbers, one a sample`);
  }
  const y = stored('y');
  const low_res = stored('low_res');
  return {
    ...{ x_start, noise, timesteps: drawn, weights },
    ...(y === null ? {} : { y: numbers(y) }),
    ...(low_res === null ? {} : { low_res: asFloat32(low_res) }),
  };
}
