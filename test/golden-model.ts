// Runs the model of a golden case on the reference executor, from the original's keyword arguments.

import { loadGraph } from '../compiler/graph/load.ts';
import { lowerGraph } from '../compiler/graph/lower.ts';
import { runReference } from '../compiler/opgraph/reference.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { hashTensor } from '../runtime/weights/hash.ts';

/** How a golden case says what model it was made with. */
export interface GoldenModel {
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly weights: { readonly init: 'hash'; readonly seed: number };
}

/** The `output` of one forward pass for x, [B, C, ...space], at one timestep an image. */
export function runGolden(
  { kwargs, weights }: GoldenModel,
  inputs: { readonly x: Tensor; readonly timesteps: readonly number[] },
): Tensor {
  const [batch, , ...size] = inputs.x.shape;
  const spec = { version: 1, name: 'golden', image_size: size, unet: kwargs };
  const { graph } = loadGraph(JSON.stringify(spec), 'golden');
  const ops = lowerGraph(graph, { batch: batch!, taps: false, precision: 'f32' });
  const results = runReference(ops, (name, shape) => hashTensor(name, shape, weights.seed), {
    x: { shape: inputs.x.shape, data: Float64Array.from(inputs.x.data) },
    timesteps: { shape: [batch!], data: Float64Array.from(inputs.timesteps) },
  });
  const output = results.get('output')!;
  return { shape: output.shape, data: Float32Array.from(output.data) };
}
