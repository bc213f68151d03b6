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
import { lossScale } from '../../runtime/training/loss-scale.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import { type MatchedWeights, matchWeights } from '../../runtime/weights/match.ts';
import type { Renames } from '../../runtime/weights/rename.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { readRenameMap } from '../checkpoint/rename-map.ts';
import { renamedBy } from '../checkpoint/renamed-weights.ts';
import { fileDigest } from '../digest.ts';
import { UsageError } from '../errors.ts';
import type { Host } from '../host.ts';
import { digestOfInput, weightsOf } from '../model/weights-input.ts';
import { initialReader } from './init.ts';
import { initialState, type LoopState } from './loop.ts';
import { checkOptimizer, type FormerName, restoreOptimizer } from './read-checkpoint.ts';
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

/** Another run that a run goes on from: its optimizer's file, and the map by which its names are read. */
export interface Earlier {
  readonly file: string;
  readonly rename_map: string | undefined;
}

/** Holds an optimizer's file to the model, and its place to the run. Throws UsageError and RuntimeError('weights'). */
export function checkContinued(
  { file, rename_map }: Earlier,
  graph: Graph,
  settings: TrainingSettings,
  frozen: readonly string[],
): void {
  const origin: Origin = { kind: 'weights', label: file };
  if (!isOurs(file) && rename_map !== undefined) {
    throw new UsageError(
      (option) =>
        `${option('rename_map')}: ${file} has its moments by number and not by name, so that no map reads it; ` +
        `leave ${option('optimizer')} out, and moments begin at zero`,
    );
  }
  const renames = renamesOf(rename_map);
  const { position } = isOurs(file)
    ? checkOptimizer(
        origin,
        parametersBut(graph, frozen),
        graph.diffusion.steps,
        renames && formerNames(renames),
      )
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

/** The map of a file; undefined where none is named. Throws RuntimeError where it cannot be read. */
function renamesOf(rename_map: string | undefined): Renames | undefined {
  return rename_map === undefined ? undefined : readRenameMap(rename_map);
}

/** What a map says that parameters were called; what it does not name is called as it was. */
function formerNames({ renames, zeros }: Renames): FormerName {
  const former = new Map([...renames].map(([from, to]) => [to, from]));
  const empty = new Set(zeros);
  return (name) => (empty.has(name) ? null : (former.get(name) ?? name));
}

function isOurs(file: string): boolean {
  return /\.safetensors$/i.test(file);
}

/**
 * Puts the state of an optimizer in its place, with the moving averages that lie beside it: a file that
 * was held to the model.
 */
export async function continueFrom(
  { file, rename_map }: Earlier,
  step: TrainingStep,
  settings: TrainingSettings,
  graph: Graph,
  host: Pick<Host, 'note'>,
): Promise<LoopState> {
  const origin: Origin = { kind: 'weights', label: file };
  const timesteps = graph.diffusion.steps;
  const renames = renamesOf(rename_map);
  const found = isOurs(file)
    ? await restoreOptimizer(origin, step, timesteps, renames && formerNames(renames))
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
    const weights = matched(await renamedBy(renames, openWeights(beside), graph), graph, false);
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
  // the original does not save its scale, nor does a run in float32 have one
  const scale = settings.half === null ? null : (found.scale ?? lossScale(settings.half.lg_loss_scale));
  return {
    ...found,
    scale,
    means: new Map(),
    history: aware ? (found.history ?? initialState(settings, timesteps).history) : null,
  };
}

/** `ema_0.9999_010000.pt` beside `opt010000.pt`. */
function emaBeside(file: string, rate: number): string | null {
  const [, digits, ending] = /^opt(\d+)(\.\w+)$/.exec(path.basename(file)) ?? [];
  if (digits === undefined) return null;
  const beside = path.join(path.dirname(file), `ema_${rateText(rate)}_${digits}${ending}`);
  return pathKind(beside) === 'missing' ? null : beside;
}
