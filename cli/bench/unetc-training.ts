// unetc as an engine that trains: steps on the same batch, as `unetc train` takes them, with one moving average.

import { parameters } from '../../compiler/graph/parameters.ts';
import { readModel } from '../../engine/model/model-source.ts';
import { openProgram } from '../../engine/model/open-program.ts';
import { readRunInputs, toModelInputs } from '../../engine/model/run-inputs.ts';
import { trainingFace } from '../../engine/training/gradients.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { listOf } from '../../runtime/port-values.ts';
import type { TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { lossScale, nextLossScale } from '../../runtime/training/loss-scale.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { keepHeapSmall } from '../v8.ts';
import type { Engine } from './engine.ts';
import type { EngineJob } from './protocol.ts';
import { factsOf, SILENT, versionLine } from './unetc-engine.ts';

/** The original's, with which PyTorch's side of the bench trains, too. */
const SETTINGS = { learning_rate: 1e-4, weight_decay: 0, ema_rates: [0.9999], seed: 0 } as const;

/** Throws GraphError, RuntimeError, and UsageError for a model that has no loss. */
export async function openTraining(job: EngineJob): Promise<Engine> {
  keepHeapSmall();
  const source = await readModel(job.model, job.settings);
  const weights = openWeights(job.weights);
  const { read } = matchWeights(parameters(source.graph), weights);
  const { program, device, close } = await openProgram(source, read, job.settings, SILENT);
  weights.close();
  const step = await programStep(program, adapterLine(device.adapter));
  const inputs = toModelInputs(readRunInputs(job.inputs), trainingFace(source.graph, step.microbatch));
  const { timesteps, ...given } = inputs as typeof inputs & TrainingBatch;
  const batch: TrainingBatch = { ...given, timesteps: listOf(timesteps) };
  let update = 0;
  let scale = job.settings.precision === 'f16' ? lossScale() : null;
  return {
    version: versionLine(),
    device: step.adapter,
    program: factsOf(program.manifest, device),
    async run() {
      update++;
      const loss_scale = 2 ** (scale?.lg ?? 0);
      const { losses, taken } = await step.step(batch, { ...SETTINGS, loss_scale, update, step: update - 1 });
      scale = scale && nextLossScale(scale, { taken, finite: true });
      const data = losses.mse ?? losses.loss!;
      return { shape: [data.length], data };
    },
    close,
  };
}
