// Makes a model ready to be trained, on the device that is here or without one.

import { parameters } from '../../compiler/graph/parameters.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import { withStill } from '../../runtime/training/still-parameters.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import { checkGradients } from '../compile/model-settings.ts';
import type { GraphSource } from '../model/model-source.ts';
import { type OpenHost, openPrograms, type ProgramOptions } from '../model/open-program.ts';
import { planStep } from './plan-run.ts';
import { referenceStep } from './reference-step.ts';

export interface StepRequest {
  readonly source: GraphSource;
  /** Samples of a step at the most, and those that are computed at once. */
  readonly batch: number;
  readonly microbatch: number;
  /** Moving averages: how many. */
  readonly emas: number;
  /** Names of parameters that stay as they are, in checkpoint order. */
  readonly frozen: readonly string[];
  /** Whether gradients have a largest norm. */
  readonly clips: boolean;
  /** What the parameters are in the beginning, the moving averages with them. */
  readonly read: (name: string) => Float32Array;
  readonly device: ProgramOptions;
  readonly reference: boolean;
}

/** How a step is opened; tests give another. */
export type OpenStep = (request: StepRequest, host: OpenHost) => Promise<TrainingStep>;

/**
 * Rejects with UsageError for a model that has no loss, GraphError for one that is beyond the target's reach, RuntimeError
 * ('adapter', 'gpu').
 */
export const openStep: OpenStep = async (request, host) => {
  const { source, batch, microbatch, emas, frozen, clips, read, device, reference } = request;
  const settings = {
    ...device,
    batch: microbatch,
    trainingStep: { averages: emas, accumulates: batch > microbatch, waits: clips, frozen },
  };
  checkGradients(source.graph, settings);
  if (reference) return referenceStep(source.graph, { ...request, precision: device.precision });
  const { bundle, notes } = await planStep(source, settings);
  for (const note of notes) host.note(note);
  const opened = await openPrograms([{ bundle, read, verified: true }], settings, host);
  try {
    const step = await programStep(opened.programs[0]!, adapterLine(opened.device.adapter));
    return withStill({ ...step, close: opened.close }, parameters(source.graph), emas, read, new Set(frozen));
  } catch (error) {
    await opened.close();
    throw error;
  }
};
