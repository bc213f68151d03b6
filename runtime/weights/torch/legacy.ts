// Reads what torch.save wrote before PyTorch 1.6: pickles one after the other (a magic number, the protocol, the system,
// the checkpoint, the keys of its storages), then the storages in the order of their keys. Beside it a pickle alone, which
// may have arrays of NumPy's in it.
// Source of the layout: PyTorch's torch/serialization.py (_legacy_load) and torch/csrc/serialization.cpp.

import { type ByteSource, dataView, type Origin } from '../../bytes.ts';
import { DTYPE_BYTES } from '../dtypes.ts';
import type { CheckpointAddress, WeightSource } from '../source.ts';
import { readPickles, unpickle } from './pickle.ts';
import { isKind, type PickleStorage } from './pickle-values.ts';
import { damaged } from './stored-tensors.ts';
import { torchWeights } from './torch-weights.ts';

/** How such a file begins: the magic number as a pickle. */
export const LEGACY_MAGIC = '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19';
const PROTOCOL = 1001;

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** A checkpoint in the old format. Storages are read when asked for. Takes over `source`. */
export function legacyWeights(source: ByteSource, address: CheckpointAddress): WeightSource {
  const origin: Origin = { kind: 'weights', label: address.label };
  const pickles = readPickles(source, origin);
  pickles.next();
  const protocol = pickles.next().value;
  if (protocol !== PROTOCOL) throw damaged(origin, `it is of no protocol that is known but ${PROTOCOL}`);
  pickles.next();
  const unpickled = pickles.next();
  const keys = pickles.next().value;
  if (!isKind(keys, 'list')) throw damaged(origin, 'it has no list of storages');
  const places = findStorages(source, pickles.at(), keys.items, unpickled.storages, origin);
  return torchWeights(source, unpickled, address, () => ({
    // Elements are little-endian whatever machine wrote them.
    bigEndian: false,
    size: (key) => places.get(key)?.size ?? null,
    read: (key, offset, length, scratch) => source.read(places.get(key)!.offset + offset, length, scratch),
    readSpan: ({ offset, length }, scratch) => source.read(offset, length, scratch),
  }));
}

/** A checkpoint that is one pickle: its tensors are arrays of NumPy's. Takes over `source`. */
export function pickleWeights(source: ByteSource, address: CheckpointAddress): WeightSource {
  const unpickled = unpickle(source, { kind: 'weights', label: address.label });
  const none = () => {
    throw new Error('internal: a pickle alone has no storages');
  };
  return torchWeights(source, unpickled, address, () => ({
    bigEndian: false,
    size: () => null,
    read: none,
    readSpan: ({ offset, length }, scratch) => source.read(offset, length, scratch),
  }));
}

/** Each storage is a number of elements, in 8 bytes, and the elements. The last ends with the file. */
function findStorages(
  source: ByteSource,
  start: number,
  keys: readonly unknown[],
  storages: ReadonlyMap<string, PickleStorage>,
  origin: Origin,
): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (typeof key !== 'string' || storage === undefined || places.has(key)) {
      throw damaged(
        origin,
        `its list of storages has ${JSON.stringify(String(key))}, which no tensor speaks of`,
      );
    }
    const { dtype, unread } = storage;
    const unit = unread?.bytes ?? (dtype === null ? 1 : DTYPE_BYTES[dtype]);
    const left = source.size - at - 8;
    const size = left < 0 ? Number.NaN : Number(dataView(source.read(at, 8)).getBigInt64(0, true)) * unit;
    if (!(size >= 0 && size <= left)) throw damaged(origin, `its storage ${key} is cut short`);
    places.set(key, { offset: at + 8, size });
    at += 8 + size;
  }
  if (at !== source.size) throw damaged(origin, `it has ${source.size - at} bytes after its last storage`);
  return places;
}
