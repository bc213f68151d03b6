// A run of training: everything is opened and checked before anything is written; then step by step, with the log, checkpoints
// and pictures, so that a run that is killed anywhere goes on to the bytes that it would have had.

import { performance } from 'node:perf_hooks';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { TrainedTensors, TrainingStep } from '../../runtime/training/training-step.ts';
import { closeAll } from '../close-all.ts';
import { type Host, warnAll } from '../host.ts';
import { continueFrom } from './begin.ts';
import { type LoopState, type StepDone, trainingLoop } from './loop.ts';
import { type OpenStep, openStep } from './open-step.ts';
import { openMaterial, type RunMaterial } from './run-material.ts';
import { openOutput, type RunOutput, type Written } from './run-output.ts';
import type { TrainJob } from './train-job.ts';
import { openValidation, type Validation } from './validation.ts';

/** A step that is done, with what was written for it. */
export interface TrainReport extends Omit<StepDone, 'state'>, Written {
  /** Steps that the run has behind it, from its very beginning. */
  readonly position: number;
  /** The losses of held-out images behind this step, by the keys of the log; null where none is due. */
  readonly validation: Readonly<Record<string, number>> | null;
}

/** What was done, in the words of `--json`. */
export interface TrainResult {
  readonly name: string;
  readonly adapter: string;
  /** Bytes that training takes on the adapter. */
  readonly bytes: number;
  /** Where this process began, and where the run is now. */
  readonly from: number;
  readonly position: number;
  readonly batch: number;
  readonly samples: number;
  /** Of the last step of this process; null where it took none. */
  readonly loss: number | null;
  /** The last one of the held-out images; null where there was none. */
  readonly val_loss: number | null;
  readonly seconds: number;
  readonly steps_per_second: number;
  /** The share of that time in which the adapter waited for data. */
  readonly waited: number;
  /** Files of the data that were left out. */
  readonly skipped: number;
  readonly out: string | null;
  /** The files of the newest checkpoint. */
  readonly files: readonly string[];
}

/** What the original's `classifier_train.py` calls the terms of a classifier's loss in its log. */
const CLASSIFIER_KEYS = { loss: 'train_loss', acc1: 'train_acc@1', acc5: 'train_acc@5' } as const;

/** A run that is open. */
export interface Training {
  readonly name: string;
  readonly adapter: string;
  readonly bytes: number;
  /** Where it goes on, and where it ends: Infinity for a run without an end. */
  readonly from: number;
  readonly steps: number;
  readonly batch: number;
  /** The steps. Whoever leaves off early has what was done so far saved; so does the signal, whose reason is then thrown. */
  reports(): AsyncGenerator<TrainReport, void, undefined>;
  /** What the run has now. */
  read(which: TrainedTensors): Promise<ReadonlyMap<string, Tensor>>;
  result(): TrainResult;
  close(): Promise<void>;
}

/** Opens a run. Rejects with GraphError, UsageError and RuntimeError as the parts do, before anything is written. */
export async function openTraining(job: TrainJob, host: Host, open: OpenStep = openStep): Promise<Training> {
  warnAll(host, job.source.warnings, job.source.label);
  const material = await openMaterial(job, host.signal);
  try {
    for (const note of material.notes) host.note(note);
    const output = await openOutput(job, material);
    try {
      const { held, settings } = material;
      const validation = held === null ? null : await openValidation(job, held, settings);
      const step = await openTrained(job, material, output, host, open);
      return runOf(job, material, output, { ...step, validation }, host);
    } catch (error) {
      output.close();
      throw error;
    }
  } catch (error) {
    await material.close();
    throw error;
  }
}

/** The step with the tensors that the run goes on with. */
async function openTrained(
  job: TrainJob,
  material: RunMaterial,
  output: RunOutput,
  host: Host,
  open: OpenStep,
): Promise<{ readonly step: TrainingStep; readonly state: LoopState }> {
  const { settings, beginning, frozen } = material;
  const { source, device, reference } = job;
  const request = {
    source,
    device,
    reference,
    microbatch: settings.microbatch,
    batch: settings.batch,
    emas: settings.ema_rates.length,
    frozen,
    clips: settings.max_grad_norm !== undefined,
  };
  const step = await open({ ...request, read: beginning.read }, host);
  try {
    const restored = await output.restore(step, host);
    if (restored !== null) return { step, state: restored };
    const { optimizer, rename_map } = job;
    if (optimizer === null) return { step, state: material.begin() };
    const earlier = { file: optimizer, rename_map };
    return { step, state: await continueFrom(earlier, step, settings, source.graph, host) };
  } catch (error) {
    await step.close();
    throw error;
  } finally {
    beginning.close();
  }
}

/** What a run computes with. */
interface OpenedRun {
  readonly step: TrainingStep;
  readonly state: LoopState;
  readonly validation: Validation | null;
}

function runOf(
  job: TrainJob,
  material: RunMaterial,
  output: RunOutput,
  { step, state, validation }: OpenedRun,
  host: Host,
): Training {
  const { settings, timesteps, held } = material;
  const from = state.position;
  const source = material.steps(from);
  const start = performance.now();
  let now = state;
  let loss: number | null = null;
  let val_loss: number | null = null;
  let seconds = 0;
  // tensors of a step that failed are of no use
  let sound = true;
  const about = {
    name: job.source.graph.name,
    adapter: step.adapter,
    bytes: step.bytes + (validation?.bytes ?? 0),
    from,
    batch: settings.batch,
  };

  async function* reports(): AsyncGenerator<TrainReport, void, undefined> {
    try {
      await output.begin(step, now, host.signal);
      const keys = job.source.graph.pool === null ? undefined : CLASSIFIER_KEYS;
      const parts = { step, source, settings, timesteps, keys, nameOf: material.nameOf, signal: host.signal };
      for await (const { state: next, ...done } of trainingLoop(parts, now)) {
        now = next;
        loss = done.losses.loss ?? null;
        // a step whose row lacks its losses is not to be saved
        sound = false;
        const due = done.row !== null && held !== null && done.step % held.interval === 0;
        const losses = due ? ((await validation?.losses(step)) ?? null) : null;
        sound = true;
        val_loss = losses?.get('val_loss') ?? val_loss;
        const row = losses === null ? done.row : new Map([...done.row!, ...losses]);
        const written = await output.after(step, next, row, host.signal);
        seconds = (performance.now() - start) / 1000;
        const told = losses === null ? null : Object.fromEntries(losses);
        yield { ...done, ...written, row, validation: told, position: next.position };
      }
      host.signal.throwIfAborted();
    } catch (error) {
      sound &&= !(error instanceof RuntimeError && (error.kind === 'gpu' || error.kind === 'output'));
      throw error;
    } finally {
      if (sound) await output.interrupt(step, now);
    }
  }

  let closed: Promise<void> | null = null;
  const close = () => closeAll(source, material, validation, step, output);
  return {
    ...about,
    steps: settings.steps,
    reports,
    read: (which) => step.read(which),
    result() {
      const { waited, elapsed } = source.waiting();
      return {
        ...about,
        position: now.position,
        samples: now.position * settings.batch,
        ...{ loss, val_loss },
        seconds,
        steps_per_second: seconds === 0 ? 0 : (now.position - from) / seconds,
        waited: elapsed === 0 ? 0 : waited / elapsed,
        skipped: material.skipped().count,
        out: job.out,
        files: output.files(),
      };
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}
