// The loss of held-out images by the parameters that a run has, in float32 and without dropout: the same images, noise and
// timesteps every time, so that two losses differ by the parameters alone. Nothing of what training draws is touched.

import { type Bundle, memoryOf } from '../../runtime/bundle.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Model } from '../../runtime/model.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import { heldOutNoise, heldOutTimesteps } from '../../runtime/training/held-out-draws.ts';
import { lossInputs } from '../../runtime/training/loss-inputs.ts';
import { microbatches } from '../../runtime/training/microbatches.ts';
import { withTerms } from '../../runtime/training/progress-table.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import { checkBatch } from '../data/batch.ts';
import { wantedBy } from '../data/open-data.ts';
import { silentHost } from '../host.ts';
import { bundleOf, openPrograms } from '../model/open-program.ts';
import { referenceModel } from '../model/reference-model.ts';
import type { HeldOut } from './held-out.ts';
import type { TrainJob } from './train-job.ts';

export interface Validation {
  /** What the log has of a step, by its keys: `val_loss`, the other terms, and their quartiles. */
  losses(step: TrainingStep): Promise<ReadonlyMap<string, number>>;
  /** Bytes that it takes on the adapter, beside the step's. */
  readonly bytes: number;
  close(): Promise<void>;
}

/** What the log calls the terms: of a classifier as the original's `classifier_train.py` does. */
const KEYS: Readonly<Record<string, string>> = { acc1: 'acc@1', acc5: 'acc@5' };

/** Images that are computed at once: fewer where a step has fewer. Every batch gives the same bits. */
const BATCH = 16;

/** A signal that comes meanwhile waits: a step whose losses are due is saved with them, or not at all. */
const NEVER = new AbortController().signal;

/** A model that gives losses, for weights that are given to it. */
interface LossModel {
  readonly model: Model;
  load(weights: ReadonlyMap<string, Tensor>): Promise<void>;
  close(): Promise<void>;
}

/** What computes the losses of so many held-out images. Throws GraphError where it is beyond the target's reach. */
export async function lossBundle(
  { source, device }: Pick<TrainJob, 'source' | 'device'>,
  batch: number,
): Promise<Bundle> {
  const { target, tuning, strict } = device;
  return bundleOf(source, { target, tuning, strict, batch, losses: true });
}

/** How many held-out images are computed at once. */
export function heldOutBatch({ count }: HeldOut, microbatch: number): number {
  return Math.min(BATCH, microbatch, count);
}

/** Compiles now, and opens the adapter once more when the first loss is due. Throws GraphError and UsageError. */
export async function openValidation(
  job: Pick<TrainJob, 'source' | 'device' | 'reference'>,
  held: HeldOut,
  { seed, microbatch }: { readonly seed: number; readonly microbatch: number },
): Promise<Validation> {
  const { graph } = job.source;
  const batch = heldOutBatch(held, microbatch);
  const bundle = job.reference ? null : await lossBundle(job, batch);
  const process = diffusionProcess(graph.diffusion);
  const wanted = wantedBy(graph);
  const { steps } = graph.diffusion;
  let opened: LossModel | null = null;

  /** The losses of the images of a batch, by their places in the data. */
  const lossesOf = async (
    model: Model,
    images: Parameters<typeof checkBatch>[0],
    places: readonly number[],
  ) => {
    const { x_start, y, low_res } = images;
    checkBatch(images, places.length, wanted, `${held.data.path}, held out`);
    const noise = heldOutNoise(seed, places, elements(x_start.shape.slice(1)));
    const timesteps = heldOutTimesteps(seed, places, steps);
    const given = {
      ...{ x_start, noise: { shape: x_start.shape, data: noise }, timesteps },
      ...(y === undefined ? {} : { y }),
      ...(low_res === undefined ? {} : { low_res }),
    };
    const [part] = microbatches(given, batch);
    const { weights: _, ...inputs } = lossInputs(process, part!.batch);
    const results = await model.run(inputs);
    const losses = [...results].map(
      ([name, { data }]) =>
        [name.slice('loss.'.length), Array.from(data.subarray(0, places.length))] as const,
    );
    return { timesteps, losses };
  };

  return {
    bytes: bundle === null ? 0 : memoryOf(bundle.manifest),
    async losses(step) {
      const weights = await step.read({ kind: 'parameters' });
      opened ??= await (bundle === null ? referenceLosses(job, batch) : deviceLosses(bundle, job, weights));
      await opened.load(weights);
      const timesteps: number[] = [];
      const terms: Record<string, number[]> = {};
      for await (const images of held.data.rows({ batch, from: 0, until: held.count, signal: NEVER })) {
        const places = images.samples ?? [];
        if (places.length === 0) continue;
        const found = await lossesOf(opened.model, images, places);
        timesteps.push(...found.timesteps);
        for (const [name, values] of found.losses) {
          const key = `val_${KEYS[name] ?? name}`;
          terms[key] ??= [];
          terms[key].push(...values);
        }
      }
      if (timesteps.length === 0) {
        throw new RuntimeError(
          'input',
          `${held.data.path}: not one of ${held.count} held-out images can be read`,
        );
      }
      const means = withTerms(new Map(), timesteps, steps, terms);
      return new Map([...means].map(([key, { mean }]) => [key, mean]));
    },
    async close() {
      await opened?.close();
    },
  };
}

async function deviceLosses(
  bundle: Bundle,
  { device }: Pick<TrainJob, 'device'>,
  weights: ReadonlyMap<string, Tensor>,
): Promise<LossModel> {
  const read = (name: string) => weights.get(name)!.data;
  const { programs, close } = await openPrograms([{ bundle, read, verified: true }], device, silentHost());
  const program = programs[0]!;
  let current = weights;
  return {
    model: program,
    async load(next) {
      // the program was made with the first ones
      if (next !== current) await program.upload((name) => next.get(name)!.data);
      current = next;
    },
    close,
  };
}

async function referenceLosses({ source }: Pick<TrainJob, 'source'>, batch: number): Promise<LossModel> {
  let current: ReadonlyMap<string, Tensor> = new Map();
  const model = referenceModel(source.graph, {
    ...{
      batch,
      taps: false,
      gradient: false,
      gradients: false,
      dropout: false,
      losses: true,
      precision: 'f32',
    },
    read: (name) => current.get(name)!.data,
  });
  return {
    model,
    async load(next) {
      current = next;
    },
    async close() {},
  };
}
