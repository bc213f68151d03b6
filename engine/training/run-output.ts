// What a run writes: rows of its log, checkpoints, the loss curve and pictures of samples, each when its step comes.

import path from 'node:path';
import { checkWritableFolder, pathKind, writeFile } from '../../runtime/host/node/files.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import type { Host } from '../host.ts';
import { placeInside } from '../jobs/inside.ts';
import { modelName, writeCheckpoint } from './checkpoint-files.ts';
import type { LoopState } from './loop.ts';
import { LOSS_PLOT, lossPlot } from './loss-plot.ts';
import { openProgress, type ProgressFile } from './progress-file.ts';
import { damagedFiles, restoreCheckpoint } from './read-checkpoint.ts';
import { checkRunFolder, openRunFolder, SAMPLES } from './run-folder.ts';
import { runOf, type SavedCheckpoint } from './run-manifest.ts';
import type { RunMaterial } from './run-material.ts';
import { sampleSheet } from './sample-sheet.ts';
import { outputSettings, type TrainJob } from './train-job.ts';

/** What was written at a step, as paths; null for nothing. */
export interface Written {
  /** The parameters of a checkpoint, which is whole. */
  readonly saved: string | null;
  /** A picture of samples. */
  readonly picture: string | null;
}

export interface RunOutput {
  /** Puts the newest checkpoint that is as it was written in its place; null where there is none. */
  restore(step: TrainingStep, host: Pick<Host, 'note' | 'signal'>): Promise<LoopState | null>;
  /**
   * Before the first step: what a killed run should have written at this place. The folder of a run that begins is left as
   * it is until a step of it is done, so that data or an adapter that is refused costs nobody an earlier run.
   */
  begin(step: TrainingStep, state: LoopState, signal: AbortSignal): Promise<void>;
  after(
    step: TrainingStep,
    state: LoopState,
    row: ReadonlyMap<string, number> | null,
    signal: AbortSignal,
  ): Promise<Written>;
  /** Saves what the last checkpoint does not have, for the next run. */
  interrupt(step: TrainingStep, state: LoopState): Promise<void>;
  /** The files of the newest checkpoint, as paths. */
  files(): readonly string[];
  close(): void;
}

const NOTHING: Written = { saved: null, picture: null };

/** Opens the folder of a job. Rejects with UsageError and RuntimeError('output'). */
export async function openOutput(job: TrainJob, material: RunMaterial): Promise<RunOutput> {
  const { out } = job;
  const output = outputSettings(job.output);
  if (out === null) {
    return {
      restore: async () => null,
      async begin() {},
      after: async () => NOTHING,
      async interrupt() {},
      files: () => [],
      close() {},
    };
  }
  const { recipe, settings, timesteps, data } = material;
  const { graph } = job.source;
  const run = runOf(recipe);
  const request = { out, recipe, run, resume: output.resume, keep: output.keep };
  checkWritableFolder(out);
  checkRunFolder(request);
  const folder = await openRunFolder(request);
  let checkpoints = folder.checkpoints;
  let progress: ProgressFile | null = null;
  /** Where the run began: of another run's files, the step that these are of. */
  let began = 0;

  const start = (position: number): ProgressFile => {
    folder.start();
    return openProgress(out, position);
  };
  const save = async (step: TrainingStep, state: LoopState, interim: boolean): Promise<string> => {
    folder.check();
    progress?.sync();
    if (progress !== null) writeFile(path.join(out, LOSS_PLOT), lossPlot(progress.table(), graph.name));
    const { ema_rates } = settings;
    const files = await writeCheckpoint({ out, graph, ema_rates, run }, step, state);
    checkpoints = folder.record({ step: state.position, interim, files });
    return path.join(out, modelName(state.position));
  };
  const draw = async (step: TrainingStep, position: number, signal: AbortSignal): Promise<string> => {
    const weights = await step.read({ kind: 'ema', index: 0 });
    const conditions = await conditionsOf(job, material, data);
    const { source, device, reference } = job;
    const sheet = await sampleSheet({ source, weights, conditions, device, reference, signal });
    const file = pictureOf(out, position);
    writeFile(file, sheet);
    return file;
  };
  // a classifier draws nothing
  const draws = output.sample_interval > 0 && graph.pool === null;
  const isPictured = (position: number) => draws && position % output.sample_interval === 0;
  const isDue = (position: number) => position % output.save_interval === 0 || position === settings.steps;
  const isSaved = (position: number) => checkpoints.at(-1)?.step === position && !checkpoints.at(-1)!.interim;

  return {
    async restore(step, host) {
      for (const saved of checkpoints.toReversed()) {
        const damaged = await damagedFiles(out, saved, host.signal);
        if (damaged.length === 0) {
          checkpoints = checkpoints.filter((one) => one.step <= saved.step);
          const { ema_rates } = settings;
          return restoreCheckpoint(out, saved, step, { ema_rates, timesteps });
        }
        const before = olderThan(checkpoints, saved);
        host.note(
          `${out}: ${damaged.join(', ')} ${damaged.length === 1 ? 'is' : 'are'} not as written at step ${saved.step}; the run goes on from step ${before}`,
        );
      }
      checkpoints = [];
      return null;
    },
    async begin(step, { position }, signal) {
      if (position === 0) return;
      began = position;
      progress = start(position);
      if (isPictured(position) && pathKind(pictureOf(out, position)) === 'missing') {
        await draw(step, position, signal);
      }
    },
    async after(step, state, row, signal) {
      const { position } = state;
      progress ??= start(0);
      if (row !== null) progress.add(row);
      const picture = isPictured(position) && !signal.aborted ? await draw(step, position, signal) : null;
      const saved = isDue(position) ? await save(step, state, false) : null;
      return { saved, picture };
    },
    async interrupt(step, state) {
      if (progress === null || isSaved(state.position)) return;
      const known = checkpoints.at(-1)?.step ?? began;
      // a signal may come between a step and the checkpoint that is due after it
      if (state.position > known) await save(step, state, !isDue(state.position));
    },
    files: () => checkpoints.at(-1)?.files.map(({ file }) => path.join(out, file)) ?? [],
    close: () => folder.close(),
  };
}

function pictureOf(out: string, position: number): string {
  return placeInside(out, `${SAMPLES}/${String(position).padStart(6, '0')}.png`);
}

function olderThan(checkpoints: readonly SavedCheckpoint[], { step }: SavedCheckpoint): number {
  return checkpoints.findLast((one) => one.step < step)?.step ?? 0;
}

/** The small images of step 0, which a super-resolution model draws samples for. */
async function conditionsOf({ source }: TrainJob, { settings }: RunMaterial, data: RunMaterial['data']) {
  if (source.graph.super_resolution === null) return null;
  const stream = data.steps({ batch: settings.batch, from: 0 });
  try {
    const { value } = await stream.next();
    return value ?? null;
  } finally {
    await stream.return();
  }
}
