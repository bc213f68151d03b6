// A checkpoint of torch.save as a source of weights, whichever way its storages lie in the file.

import { type ByteSource, fault, type Origin } from '../../bytes.ts';
import { countElements } from '../dtypes.ts';
import { prefixedWeights } from '../prefix.ts';
import type { CheckpointAddress, WeightSource } from '../source.ts';
import type { Unpickled } from './pickle.ts';
import type { PickleTensor } from './pickle-values.ts';
import { findStateDict, placeholderNotes } from './state-dict.ts';
import { checkTensors, readTensor, type Storages } from './stored-tensors.ts';

/**
 * The tensors that `address` names in what was unpickled. `storagesOf` is told which there are; they are read when asked
 * for. Takes over `source`.
 */
export function torchWeights(
  source: ByteSource,
  { value, placeholders }: Unpickled,
  address: CheckpointAddress,
  storagesOf: (tensors: ReadonlyMap<string, PickleTensor>) => Storages,
): WeightSource {
  const { label, file } = address;
  const origin: Origin = { kind: 'weights', label };
  const { tensors, path, prefix, notes } = findStateDict(value, origin, address);
  const storages = storagesOf(tensors);
  checkTensors(tensors, storages, origin);
  const said = [...notes, ...placeholderNotes(placeholders)];
  const all: WeightSource = {
    label,
    stem: path === '' ? `${file}#` : `${file}#${path}.`,
    tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })),
    ...(said.length === 0 ? {} : { notes: said }),
    read(name, shape, scratch) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw fault(origin, `there is no tensor ${JSON.stringify(name)}`);
      if (countElements(shape) !== countElements(tensor.shape)) {
        throw fault(
          origin,
          `tensor ${JSON.stringify(name)} is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`,
        );
      }
      return readTensor(name, tensor, storages, origin, scratch);
    },
    close: () => source.close(),
  };
  return prefix === '' ? all : prefixedWeights(all, prefix);
}
