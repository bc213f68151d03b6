// The passes of an evaluation: terms of any images at any steps side by side in a batch, for each depends on its image, its
// step and its noise alone. While the device has one batch the host makes the noise of the next and the terms of the last.

import type { Model } from '../../runtime/model.ts';
import type { Denoiser, DenoiserInputs } from '../../runtime/sampler/denoiser.ts';
import { firstBad, NotFinite } from '../../runtime/sampler/finite.ts';
import { orGiveUp } from '../../runtime/sampler/give-up.ts';
import type { DiffusionProcess } from '../../runtime/sampler/process.ts';
import { lowResShape, sampleShape } from '../../runtime/sampler/request.ts';
import { atRow, outputRows, stackRows } from '../../runtime/sampler/rows.ts';
import { boundTerm, noisyImage } from '../../runtime/training/bound.ts';
import type { ReadImage } from './images.ts';
import type { TermRecord } from './records.ts';

/** A term to be computed. */
export interface Task {
  readonly image: ReadImage;
  /** Of the process. */
  readonly index: number;
}

export interface PassOptions {
  readonly process: DiffusionProcess;
  readonly clip: boolean;
  noise(task: Task): Float32Array;
  readonly signal: AbortSignal;
  /** Milliseconds that passes under way have to end after an abort before they are given up. */
  readonly grace: number;
  /** Told of the terms of each pass. */
  onTerms(terms: readonly TermRecord[]): void;
}

/**
 * Computes the terms of all tasks. Throws NotFinite at the first value that is none, and the signal's reason, once no pass is
 * under way or those that are were given up.
 */
export async function computeTerms(
  model: Model,
  face: Denoiser,
  tasks: AsyncIterable<Task>,
  options: PassOptions,
): Promise<void> {
  const { signal, grace, onTerms } = options;
  const lanes = model.in_flight ?? 1;
  const under: Promise<void>[] = [];
  const pass = async (batch: readonly Task[]): Promise<void> => {
    onTerms(await orGiveUp(passOf(model, face, batch, options), signal, grace));
  };
  try {
    for await (const batch of batches(tasks, face.batch)) {
      signal.throwIfAborted();
      const run = pass(batch);
      run.catch(() => undefined);
      under.push(run);
      if (under.length >= lanes) await under.shift();
    }
    for (const run of under) await run;
  } finally {
    await Promise.allSettled(under);
  }
}

async function* batches(
  tasks: AsyncIterable<Task>,
  size: number,
): AsyncGenerator<readonly Task[], void, undefined> {
  let batch: Task[] = [];
  for await (const task of tasks) {
    batch.push(task);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function passOf(
  model: Model,
  face: Denoiser,
  tasks: readonly Task[],
  { process, clip, noise }: PassOptions,
): Promise<readonly TermRecord[]> {
  const given = tasks.map((task) => {
    const { x_start } = task.image;
    const drawn = noise(task);
    return { x_start, noise: drawn, x_t: noisyImage(process, task.index, x_start, drawn) };
  });
  const results = await model.run(
    inputsOf(
      face,
      process,
      tasks,
      given.map(({ x_t }) => x_t),
    ),
  );
  const outputs = outputRows(results, 'output', [face.batch, face.out_channels, ...face.image_size]);
  const records = tasks.map((task, k): TermRecord => {
    const { image, index } = task;
    checkOutput(task, outputs[k]!, process);
    return {
      kind: 'term',
      row: image.row,
      index,
      term: boundTerm(process, index, given[k]!, outputs[k]!, clip),
    };
  });
  model.reuse?.(results);
  return records;
}

/** A batch that is not full repeats its last row. */
function inputsOf(
  face: Denoiser,
  process: DiffusionProcess,
  tasks: readonly Task[],
  x: readonly Float32Array[],
): DenoiserInputs {
  const { batch, num_classes } = face;
  const each = (value: (task: Task) => number) =>
    Array.from({ length: batch }, (_, k) => value(atRow(tasks, k)));
  const low = lowResShape(face);
  return {
    x: stackRows(batch, sampleShape(face), x),
    timesteps: each(({ index }) => process.model_timesteps[index]!),
    ...(num_classes === null ? {} : { y: each(({ image }) => image.label!) }),
    ...(low === null
      ? {}
      : {
          low_res: stackRows(
            batch,
            low,
            tasks.map(({ image }) => image.low_res!),
          ),
        }),
  };
}

function checkOutput({ image, index }: Task, output: Float32Array, { timestep_map }: DiffusionProcess): void {
  const bad = firstBad(output);
  if (bad < 0) return;
  throw new NotFinite(
    `${image.name}, step ${index} of ${timestep_map.length} (timestep ${timestep_map[index]}): the model's output is ` +
      `${output[bad]} at element ${bad}; check the weights, and run the same inputs with \`unetc run --reference\``,
  );
}
