// A graph as a model that runs without a GPU, on the reference executor: slow, float64, the second opinion.

import type { Graph } from '../../compiler/graph/graph.ts';
import { runReference } from '../../compiler/opgraph/reference.ts';
import type { RefTensor } from '../../compiler/ops/op.ts';
import { modelOps } from '../../compiler/passes/model_ops.ts';
import type { Precision } from '../../compiler/precision.ts';
import { checkInputs } from '../../runtime/check-inputs.ts';
import type { Model } from '../../runtime/model.ts';
import { listOf } from '../../runtime/port-values.ts';
import { interfaceOfOps } from './model-source.ts';

export interface ReferenceOptions {
  readonly batch: number;
  readonly taps: boolean;
  readonly gradient: boolean;
  readonly gradients: boolean;
  /** The losses of a batch alone. */
  readonly losses?: boolean;
  readonly dropout: boolean;
  /** Names of parameters that have no gradient there. */
  readonly frozen?: readonly string[];
  /** In `f16` values of the torso are rounded after each op, as in the original's float16. */
  readonly precision: Precision;
  /** The values of a parameter, row-major. */
  readonly read: (name: string, shape: readonly number[]) => Float32Array;
}

/** The model of `graph`, evaluated op by op; results are rounded to float32. */
export function referenceModel(graph: Graph, options: ReferenceOptions): Model {
  const ops = modelOps(graph, options);
  const face = interfaceOfOps(ops, options.batch);
  return {
    interface: face,
    async run(inputs) {
      checkInputs(inputs, face.inputs);
      // Signals are seen between two turns of the event loop, and this executor never waits for anything.
      await new Promise((resolve) => setImmediate(resolve));
      const exact = face.inputs.map(({ name, shape }): [string, RefTensor] => {
        return [name, { shape, data: Float64Array.from(listOf(inputs[name]!)) }];
      });
      const results = runReference(ops, options.read, Object.fromEntries(exact));
      return new Map(
        [...results].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
      );
    },
  };
}
