// Weights that are in memory already: tensors by name.

import { RuntimeError } from '../errors.ts';
import { elements, type Tensor } from '../tensor.ts';
import type { WeightSource } from './source.ts';

/** Serves `tensors` without copying them. Throws RuntimeError('weights') where a tensor has not its shape's values. */
export function weightsInMemory(tensors: ReadonlyMap<string, Tensor>): WeightSource {
  const label = 'the weights';
  // Callers in JavaScript have no compiler to tell them.
  if (!(tensors instanceof Map)) {
    const expected = "a checkpoint's path, hash:SEED or a Map of tensors by name";
    throw new RuntimeError('weights', `${label}: found ${tensors}, expected ${expected}`);
  }
  for (const [name, tensor] of tensors) {
    const { shape, data } = Object(tensor) as Partial<Tensor>;
    if (!Array.isArray(shape) || !(data instanceof Float32Array)) {
      throw new RuntimeError(
        'weights',
        `${label}: ${JSON.stringify(name)} is no tensor; give { shape, data }, the data a Float32Array`,
      );
    }
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
