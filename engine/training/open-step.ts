// Makes a model ready to be trained, on the device that is here or without one.

import { checkGradients } from '../compile/model-settings.ts';
import type { GraphSource } from '../model/model-source.ts';
import type { OpenHost, ProgramOptions } from '../model/open-program.ts';
import { referenceStep } from './reference-step.ts';
import type { TrainingStep } from './training-step.ts';

export interface StepRequest {
  readonly source: GraphSource;
  readonly microbatch: number;
  /** Moving averages: how many. */
  readonly emas: number;
  /** What the parameters are in the beginning, the moving averages with them. */
  readonly read: (name: string) => Float32Array;
  readonly device: ProgramOptions;
  readonly reference: boolean;
}

/** How a step is opened; tests give another. */
export type OpenStep = (request: StepRequest, host: OpenHost) => Promise<TrainingStep>;

/** Rejects with UsageError for a model that has no loss, RuntimeError('adapter', 'gpu'). */
export const openStep: OpenStep = async ({ source, ...request }) => {
  checkGradients(source.graph, { gradients: true });
  return referenceStep(source.graph, request);
};
