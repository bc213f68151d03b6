// Weights that are in memory already: tensors by name.

import { RuntimeError } from '../errors.ts';
import { elements, type Tensor } from '../tensor.ts';
import type { WeightSource } from './source.ts';

/** Serves `tensors` without copying them. Throws RuntimeError('weights') where a tensor has not its shape's values. */
export function weightsInMemory(tensors: ReadonlyMap<string, Tensor>): WeightSource {
  const label = 'the weights';
  for (const [name, { shape, data }] of tensors) {
    if (data.length === elements(shape)) continue;
    throw new RuntimeError(
      'weights',
      `${label}: tensor ${JSON.stringify(name)} has ${data.length} values, and [${shape.join(', ')}] takes ${elements(shape)}`,
    );
  }
  return {
    label,
    tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })),
    read(name) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new RuntimeError('weights', `${label}: there is no tensor ${name}`);
      return tensor.data;
    },
    close() {},
  };
}
