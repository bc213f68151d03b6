// One forward pass for a batch of requests: rows are stacked and filled up to the model's batch, conditions added,
// guided where asked for, and every value looked at.
//
//   guided = unconditional + scale (conditional - unconditional)            (Ho & Salimans 2022, w = scale - 1)
//
// The variance, where it is learned, is that of the conditional pass.

import type { Model, TimeRow } from '../model.ts';
import type { Tensor } from '../tensor.ts';
import { elements } from '../tensor.ts';
import { type Denoiser, type DenoiserInputs, denoiserOf, denoiserRow } from './denoiser.ts';
import { checkFinite } from './finite.ts';
import type { DiffusionProcess } from './process.ts';
import type { Guidance, SampleRequest } from './request.ts';
import { lowResShape, sampleShape } from './request.ts';

const f32 = Math.fround;

/** What a model says of a batch of requests. */
export interface Forward {
  /** [C, ...space] of one sample. */
  readonly shape: readonly number[];
  /**
   * The model's output for each request's x at an index of the process.
   * @throws NotFinite at a NaN or infinity
   */
  predict(index: number, x: readonly Float32Array[]): Promise<readonly Float32Array[]>;
}

/** @param requests at most as many as the model's batch */
export function createForward(
  model: Model,
  requests: readonly SampleRequest[],
  process: DiffusionProcess,
  guidance: Guidance | undefined,
): Forward {
  const denoiser = denoiserOf(model.interface);
  const { batch } = denoiser;
  const shape = sampleShape(denoiser);
  const conditions = batchConditions(denoiser, requests);
  const pass = async (index: number, x: Tensor, y?: readonly number[]): Promise<Float32Array[]> => {
    const timesteps = new Float32Array(batch).fill(process.model_timesteps[index]!);
    const inputs: DenoiserInputs = { x, timesteps, ...conditions, ...(y === undefined ? {} : { y }) };
    const results = await model.run(inputs);
    const rows = outputRows(results, denoiser, shape).slice(0, requests.length);
    for (const [k, row] of rows.entries()) {
      checkFinite(row, "the model's output", { process, index, seed: requests[k]!.seed, shape, inputs });
    }
    return rows;
  };
  return {
    shape,
    async predict(index, rows) {
      const x = stackRows(batch, shape, rows);
      const conditional = await pass(index, x);
      if (guidance === undefined) return conditional;
      const y = Array.from({ length: batch }, () => guidance.null_class);
      const unconditional = await pass(index, x, y);
      return conditional.map((row, k) => guide(row, unconditional[k]!, guidance.scale, elements(shape)));
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
  const labels = Array.from({ length: batch }, (_, k) => atRow(requests, k).label!);
  const images = requests.map(({ low_res }) => low_res!);
  return {
    ...(num_classes === null ? {} : { y: labels }),
    ...(shape === null ? {} : { low_res: stackRows(batch, shape, images) }),
  };
}

/** [B, ...shape]; rows past the last one repeat it. */
function stackRows(batch: number, shape: readonly number[], rows: readonly Float32Array[]): Tensor {
  const length = elements(shape);
  const data = new Float32Array(batch * length);
  for (let k = 0; k < batch; k++) data.set(atRow(rows, k), k * length);
  return { shape: [batch, ...shape], data };
}

function atRow<T>(rows: readonly T[], k: number): T {
  return rows[Math.min(k, rows.length - 1)]!;
}

/** The rows of a model's `output`, [B, out_channels, ...space]. */
function outputRows(
  results: ReadonlyMap<string, Tensor>,
  { batch, out_channels }: Denoiser,
  shape: readonly number[],
): Float32Array[] {
  const output = results.get('output');
  const length = out_channels * elements(shape.slice(1));
  if (output === undefined || output.data.length !== batch * length) {
    throw new Error(`internal: the model gave no output of [${batch}, ${length}] values`);
  }
  return Array.from({ length: batch }, (_, k) => output.data.subarray(k * length, (k + 1) * length));
}
