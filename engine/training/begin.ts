// What a run begins with: weights that are given or drawn, and where it goes on from another run, the moments, moving
// averages and place of that.

import path from 'node:path';
import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { fault, type Origin } from '../../runtime/bytes.ts';
import { pathKind } from '../../runtime/host/node/files.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import { type MatchedWeights, matchWeights } from '../../runtime/weights/match.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { fileDigest } from '../digest.ts';
import type { Host } from '../host.ts';
import { digestOfInput, weightsOf } from '../model/weights-input.ts';
import { initialReader } from './init.ts';
import { initialState, type LoopState } from './loop.ts';
import { checkOptimizer, restoreOptimizer } from './read-checkpoint.ts';
import { rateText, type TrainingSettings } from './settings.ts';
import { checkTorchOptimizer, readTorchOptimizer } from './torch-optimizer.ts';
import type { TrainJob } from './train-job.ts';

type BeginJob = Pick<TrainJob, 'weights' | 'optimizer' | 'allow_unexpected' | 'rename_map'>;

/** Weights that were held against the graph. */
export interface OpenedWeights {
  readonly read: (name: string) => Float32Array;
  readonly notes: readonly string[];
  close(): void;
}

/** Opens the weights that a run begins with. Rejects with RuntimeError('weights') where they do not fit. */
export async function openBeginning(job: BeginJob, graph: Graph, seed: number): Promise<OpenedWeights> {
  const { weights, rename_map } = job;
  if (weights === null) {
    return { read: initialReader(graph, seed), notes: [], close() {} };
  }
  const source = await weightsOf(weights, rename_map, { graph });
  return matched(source, graph, job.allow_unexpected);
}

function matched(source: WeightSource, graph: Graph, allowUnexpected: boolean): OpenedWeights {
  try {
    const found: MatchedWeights = matchWeights(parameters(graph), source, { allowUnexpected });
    return {
      read: (name) => found.read(name),
      notes: found.notes.map((note) => `${source.label}: ${note}`),
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** What tells the beginning of a run in its recipe. */
export async function beginningDigests(
  { weights, optimizer, rename_map }: BeginJob,
  takeTurn: TakeTurn,
): Promise<{ readonly weights: string; readonly optimizer: string | null }> {
  return {
    weights: weights === null ? 'init' : await digestOfInput(weights, rename_map, takeTurn),
    optimizer: optimizer === null ? null : await fileDigest({ kind: 'weights', label: optimizer }, takeTurn),
  };
}

/** Holds an optimizer's file to the model, and its place to the run. Throws RuntimeError('weights'). */
export function checkContinued(
  file: string,
  graph: Graph,
  settings: TrainingSettings,
  frozen: readonly string[],
): void {
  const origin: Origin = { kind: 'weights', label: file };
  const { position } = isOurs(file)
    ? checkOptimizer(origin, parametersBut(graph, frozen), graph.diffusion.steps)
    : checkTorchOptimizer(origin, parameters(graph));
  if (position < settings.steps) return;
  throw fault(
    origin,
    `its run is at step ${position} already, and this one ends at step ${settings.steps}; give more steps`,
  );
}

function parametersBut(graph: Graph, frozen: readonly string[]) {
  return parameters(graph).filter(({ name }) => !frozen.includes(name));
}

function isOurs(file: string): boolean {
  return /\.safetensors$/i.test(file);
}

/**
 * Puts the state of an optimizer in its place, with the moving averages that lie beside it: a file that
 * was held to the model.
 */
export async function continueFrom(
  file: string,
  step: TrainingStep,
  settings: TrainingSettings,
  timesteps: number,
  graph: Graph,
  host: Pick<Host, 'note'>,
): Promise<LoopState> {
  const origin: Origin = { kind: 'weights', label: file };
  const found = isOurs(file)
    ? await restoreOptimizer(origin, step, timesteps)
    : initialState(settings, timesteps, await readTorchOptimizer(origin, step));
  const aware = settings.schedule_sampler === 'loss-second-moment';
  for (const [index, rate] of settings.ema_rates.entries()) {
    const beside = emaBeside(file, rate);
    if (beside === null) {
      host.note(
        `${file}: no moving average of rate ${rateText(rate)} lies beside it; it begins as the parameters`,
      );
      continue;
    }
    const weights = matched(openWeights(beside), graph, false);
    try {
      const tensors = step.parameters.map(({ name, shape }): [string, Tensor] => [
        name,
        { shape, data: weights.read(name) },
      ]);
      await step.write({ kind: 'ema', index }, new Map(tensors));
    } finally {
      weights.close();
    }
  }
  return {
    ...found,
    means: new Map(),
    history: aware ? (found.history ?? initialState(settings, timesteps).history) : null,
  };
}

/** `ema_0.9999_010000.pt` beside `opt010000.pt`. */
function emaBeside(file: string, rate: number): string | null {
  const [, digits, ending] = /^opt(\d+)(\.\w+)$/.exec(path.basename(file)) ?? [];
  if (digits === undefined) return null;
  const beside = path.join(path.dirname(file), `ema_${rateText(rate)}_${digits}${ending}`);
  return pathKind(beside) === 'file' ? beside : null;
}
