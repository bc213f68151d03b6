// Training steps without a GPU: gradients by the reference executor in float64, rounded to float32, and AdamW on the host.
// Slow; what steps on a device are held to, and what tests of the loop run on.

import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { Precision } from '../../compiler/precision.ts';
import type { Model } from '../../runtime/model.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { adamwUpdate, gradientScale } from '../../runtime/training/adamw.ts';
import { lossInputs, type TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { microbatches } from '../../runtime/training/microbatches.ts';
import type { TrainedTensors, TrainingStep } from '../../runtime/training/training-step.ts';
import { hasDropout } from '../compile/dropout-fits.ts';
import { referenceModel } from '../model/reference-model.ts';

export interface ReferenceStepOptions {
  readonly microbatch: number;
  /** Moving averages: how many. */
  readonly emas: number;
  /** What the parameters are in the beginning, the moving averages with them. */
  readonly read: (name: string) => Float32Array;
  /** In `f16` values of the torso are rounded after each op, gradients too. Default `f32`. */
  readonly precision?: Precision | undefined;
  /** Names of parameters that stay as they are. */
  readonly frozen?: readonly string[] | undefined;
}

interface Trained {
  readonly name: string;
  readonly shape: readonly number[];
  readonly parameter: Float32Array;
  readonly exp_avg: Float32Array;
  readonly exp_avg_sq: Float32Array;
  readonly emas: readonly Float32Array[];
}

/** The model of `graph` in training. Its gradients were checked to exist (`checkGradients`). */
export function referenceStep(
  graph: Graph,
  { microbatch, emas, read, frozen = [], precision = 'f32' }: ReferenceStepOptions,
): TrainingStep {
  const still = new Set(frozen);
  const all = parameters(graph).map(({ name, shape }): Trained => {
    const parameter = Float32Array.from(read(name));
    return {
      ...{ name, shape, parameter },
      exp_avg: new Float32Array(parameter.length),
      exp_avg_sq: new Float32Array(parameter.length),
      emas: Array.from({ length: emas }, () => parameter.slice()),
    };
  });
  const trained = all.filter(({ name }) => !still.has(name));
  const byName = new Map(all.map((one) => [one.name, one]));
  const process = diffusionProcess(graph.diffusion);
  const drops = hasDropout(graph);
  const models = new Map<number, Model>();
  const modelFor = (batch: number): Model => {
    const known = models.get(batch);
    if (known !== undefined) return known;
    const options = { batch, taps: false, gradient: false, gradients: true, precision };
    const model = referenceModel(graph, {
      ...options,
      ...{ dropout: drops, frozen },
      read: (name) => byName.get(name)!.parameter,
    });
    models.set(batch, model);
    return model;
  };

  /** Losses of all samples, and the gradients of their weighted mean, in float64. */
  const gradientsOf = async (batch: TrainingBatch, scale?: number) => {
    const count = batch.timesteps.length;
    const losses: Record<string, Float32Array> = {};
    const gradients = new Map(
      trained.map(({ name, parameter }) => [name, new Float64Array(parameter.length)]),
    );
    for (const part of microbatches(batch, Math.min(microbatch, count), scale)) {
      const size = part.batch.timesteps.length;
      for (const [name, { data }] of await modelFor(size).run(lossInputs(process, part.batch))) {
        if (name.startsWith('loss.')) {
          const term = name.slice('loss.'.length);
          losses[term] ??= new Float32Array(count);
          losses[term].set(data.subarray(0, part.count), part.first);
        } else {
          const sum = gradients.get(name.slice('grad.'.length))!;
          for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
        }
      }
    }
    return { losses, gradients };
  };
  const placeOf = (which: TrainedTensors, of: Trained): Float32Array =>
    which.kind === 'ema'
      ? of.emas[which.index]!
      : which.kind === 'parameters'
        ? of.parameter
        : of[which.kind];

  const kept = all.reduce((sum, { parameter }) => sum + parameter.byteLength * (3 + emas), 0);
  return {
    parameters: all,
    frozen: still,
    microbatch,
    adapter: 'the reference executor',
    bytes: kept,
    async step(batch, settings) {
      const { seed, step, loss_scale = 1 } = settings;
      const drawn = drops ? { ...batch, dropout: { seed, step } } : batch;
      const { losses, gradients } = await gradientsOf(drawn, loss_scale);
      let squares = 0;
      for (const gradient of gradients.values()) {
        for (const value of gradient) squares += Math.fround(value) ** 2;
      }
      const factor = gradientScale(squares, settings);
      if (factor !== null) {
        for (const of of trained) adamwUpdate(of, gradients.get(of.name)!, settings, factor);
      }
      return { losses, grad_norm: Math.sqrt(squares) / loss_scale, taken: factor !== null };
    },
    async read(which) {
      const listed = which.kind === 'exp_avg' || which.kind === 'exp_avg_sq' ? trained : all;
      return new Map(listed.map((of) => [of.name, { shape: of.shape, data: placeOf(which, of).slice() }]));
    },
    async write(which, tensors: ReadonlyMap<string, Tensor>) {
      for (const of of trained) placeOf(which, of).set(tensors.get(of.name)!.data);
      if (which.kind !== 'parameters') return;
      for (const of of all.filter(({ name }) => still.has(name))) {
        for (const place of [of.parameter, ...of.emas]) place.set(tensors.get(of.name)!.data);
      }
    },
    async close() {},
  };
}
