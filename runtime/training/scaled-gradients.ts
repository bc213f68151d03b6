// The gradients of one batch in float16: computed of the loss times a scale, which is taken back. Where they overflow, the same
// again with half of it.

import type { Model, ModelInputs } from '../model.ts';
import { listOf } from '../port-values.ts';
import type { Tensor } from '../tensor.ts';
import { type LossScale, lossScale, nextLossScale } from './loss-scale.ts';

const GRADIENT = 'grad.';

/**
 * A model that computes gradients of a batch (`weights` among its inputs), as one whose gradients are not scaled. Where none is
 * finite at any scale, they are what the smallest gave.
 */
export function withLossScale(model: Model): Model {
  const run = async (inputs: ModelInputs): Promise<ReadonlyMap<string, Tensor>> => {
    const weights = Array.from(listOf(inputs.weights!));
    const attempt = async (scale: LossScale): Promise<ReadonlyMap<string, Tensor>> => {
      const factor = 2 ** scale.lg;
      const found = await model.run({ ...inputs, weights: weights.map((weight) => weight * factor) });
      const gradients = [...found].filter(([name]) => name.startsWith(GRADIENT));
      const taken = gradients.every(([, { data }]) => data.every(Number.isFinite));
      const next = taken ? null : nextLossScale(scale, { taken, finite: true });
      if (next !== null) return attempt(next);
      const unscaled = gradients.map(([name, { shape, data }]): [string, Tensor] => {
        return [name, { shape, data: data.map((value) => value / factor) }];
      });
      return new Map([...found, ...unscaled]);
    };
    return attempt(lossScale());
  };
  return { ...model, run };
}
