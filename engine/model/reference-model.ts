// A graph as a model that runs without a GPU, on the reference executor: slow, float64, the second opinion.

import type { Graph } from '../../compiler/graph/graph.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import { runReference } from '../../compiler/opgraph/reference.ts';
import type { RefTensor } from '../../compiler/ops/op.ts';
import { checkInputs } from '../../runtime/check-inputs.ts';
import type { Model } from '../../runtime/model.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { interfaceOf } from './model-source.ts';

export interface ReferenceOptions {
  readonly batch: number;
  readonly taps: boolean;
  /** In `f16` values of the torso are rounded after each op, as in the original's float16. */
  readonly precision: 'f32' | 'f16';
  /** The values of a parameter, row-major. */
  readonly read: (name: string, shape: readonly number[]) => Float32Array;
}

/** The model of `graph`, evaluated op by op; results are rounded to float32. */
export function referenceModel(graph: Graph, options: ReferenceOptions): Model {
  const { batch, read } = options;
  const ops = lowerGraph(graph, options);
  const face = interfaceOf(graph, batch);
  return {
    interface: face,
    async run(inputs) {
      checkInputs(inputs, face);
      // Signals are seen between two turns of the event loop, and this executor never waits for anything.
      await new Promise((resolve) => setImmediate(resolve));
      const { x, timesteps, y, low_res } = inputs;
      const results = runReference(ops, read, {
        x: exact(x),
        timesteps: vector(timesteps),
        ...(y === undefined ? {} : { y: vector(y) }),
        ...(low_res === undefined ? {} : { low_res: exact(low_res) }),
      });
      return new Map(
        [...results].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
      );
    },
  };
}

function exact({ shape, data }: Tensor): RefTensor {
  return { shape, data: Float64Array.from(data) };
}

function vector(values: ArrayLike<number>): RefTensor {
  return { shape: [values.length], data: Float64Array.from(values) };
}
