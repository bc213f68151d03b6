// What a model says of a batch of requests: rows are stacked and filled up to the model's batch, conditions added, guided
// without a classifier where asked for, and every value looked at.
//
//   guided = unconditional + scale (conditional - unconditional)            (Ho & Salimans 2022, w = scale - 1)
//
// The variance, where it is learned, is that of the conditional pass. A classifier's gradient comes with the conditional
// pass and goes to the step as it is, times its scale (guided.ts).

import type { Model, TimeRow } from '../model.ts';
import type { Tensor } from '../tensor.ts';
import { elements } from '../tensor.ts';
import { CLASSIFIER_LABELS, GRADIENT, USUAL_CLASSIFIER_SCALE } from './classifier.ts';
import { type Denoiser, type DenoiserInputs, denoiserOf, denoiserRow } from './denoiser.ts';
import { checkFinite } from './finite.ts';
import type { DiffusionProcess } from './process.ts';
import type { Guidance, SampleRequest } from './request.ts';
import { lowResShape, sampleShape } from './request.ts';
import { atRow, outputRows, stackRows } from './rows.ts';
import type { Answer } from './samplers/sampler.ts';

const f32 = Math.fround;

/** What a model says of a batch of requests. */
export interface Forward {
  /** [C, ...space] of one sample. */
  readonly shape: readonly number[];
  /**
   * What the model, and the classifier where there is one, say of each request's x at an index of the process.
   * @throws NotFinite at a NaN or infinity
   */
  predict(index: number, x: readonly Float32Array[]): Promise<readonly Answer[]>;
  /** Gives the memory of all answers so far to those that follow: nobody reads them any longer. */
  forget(): void;
}

/** How what a model says is guided. */
export interface ForwardGuidance {
  readonly guidance?: Guidance | undefined;
  /** What the gradient of a guided model's classifier is multiplied with. */
  readonly classifier_scale?: number | undefined;
}

/** @param requests at most as many as the model's batch */
export function createForward(
  model: Model,
  requests: readonly SampleRequest[],
  process: DiffusionProcess,
  { guidance, classifier_scale = USUAL_CLASSIFIER_SCALE }: ForwardGuidance,
): Forward {
  const denoiser = denoiserOf(model.interface);
  const { batch } = denoiser;
  const shape = sampleShape(denoiser);
  const conditions = batchConditions(denoiser, requests);
  const labels =
    denoiser.classifier_classes === null ? {} : { [CLASSIFIER_LABELS]: labelsOf(batch, requests) };
  // a pass copies its inputs before it ends
  const stacked = new Float32Array(batch * elements(shape));
  const answered: ReadonlyMap<string, Tensor>[] = [];
  const pass = async (
    index: number,
    x: Tensor,
    given: Pick<DenoiserInputs, 'y' | typeof CLASSIFIER_LABELS>,
  ): Promise<readonly Answer[]> => {
    const timesteps = new Float32Array(batch).fill(process.model_timesteps[index]!);
    const inputs: DenoiserInputs = { x, timesteps, ...conditions, ...given };
    const results = await model.run(inputs);
    answered.push(results);
    const finiteRows = (name: string, channels: number, what: string) => {
      const rows = outputRows(results, name, [batch, channels, ...denoiser.image_size]);
      for (const [k, { seed }] of requests.entries())
        checkFinite(rows[k]!, what, { process, index, seed, shape, inputs });
      return rows;
    };
    const outputs = finiteRows('output', denoiser.out_channels, "the model's output");
    const isGuided = given[CLASSIFIER_LABELS] !== undefined;
    const gradients = isGuided && finiteRows(GRADIENT, denoiser.in_channels, "the classifier's gradient");
    return requests.map((_, k) => {
      return { output: outputs[k]!, gradient: gradients ? scaled(gradients[k]!, classifier_scale) : null };
    });
  };
  return {
    shape,
    async predict(index, rows) {
      const x = stackRows(batch, shape, rows, stacked);
      const conditional = await pass(index, x, labels);
      if (guidance === undefined) return conditional;
      const y = Array.from({ length: batch }, () => guidance.null_class);
      const unconditional = await pass(index, x, { y });
      return conditional.map(({ output, gradient }, k) => {
        const { scale } = guidance;
        return { output: guide(output, unconditional[k]!.output, scale, elements(shape)), gradient };
      });
    },
    forget() {
      for (const results of answered.splice(0)) model.reuse?.(results);
    },
  };
}

/** What all passes of the chains need of timesteps and labels, in the order of the steps. */
export function* timeRows(
  process: DiffusionProcess,
  requests: readonly SampleRequest[],
  guidance: Guidance | undefined,
): Generator<TimeRow, void, undefined> {
  const labels = new Set<number | null>(requests.map(({ label }) => label ?? null));
  if (guidance !== undefined) labels.add(guidance.null_class);
  for (let index = process.timestep_map.length - 1; index >= 0; index--) {
    const timestep = f32(process.model_timesteps[index]!);
    for (const label of labels) yield denoiserRow(timestep, label);
  }
}

function scaled(values: Float32Array, scale: number): Float32Array {
  const by = f32(scale);
  return values.map((value) => by * value);
}

/** Moves the first `length` values; what follows is the variance. */
function guide(
  conditional: Float32Array,
  unconditional: Float32Array,
  scale: number,
  length: number,
): Float32Array {
  const by = f32(scale);
  return conditional.map((value, i) =>
    i < length ? unconditional[i]! + f32(by * f32(value - unconditional[i]!)) : value,
  );
}

function batchConditions(
  denoiser: Denoiser,
  requests: readonly SampleRequest[],
): { readonly y?: readonly number[]; readonly low_res?: Tensor } {
  const { batch, num_classes } = denoiser;
  const shape = lowResShape(denoiser);
  const images = requests.map(({ low_res }) => low_res!);
  return {
    ...(num_classes === null ? {} : { y: labelsOf(batch, requests) }),
    ...(shape === null ? {} : { low_res: stackRows(batch, shape, images) }),
  };
}

function labelsOf(batch: number, requests: readonly SampleRequest[]): readonly number[] {
  return Array.from({ length: batch }, (_, k) => atRow(requests, k).label!);
}
