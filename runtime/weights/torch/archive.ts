// Reads what torch.save writes since PyTorch 1.6: a zip archive of `data.pkl` (names, shapes, strides) and `data/KEY`
// (storages).

import { type ByteSource, bytesInMemory, fault, type Origin } from '../../bytes.ts';
import type { CheckpointAddress, WeightSource } from '../source.ts';
import { openZip, type Zip, type ZipEntry } from '../zip.ts';
import { type Unpickled, unpickle } from './pickle.ts';
import type { PickleTensor } from './pickle-values.ts';
import type { Storages } from './stored-tensors.ts';
import { torchWeights } from './torch-weights.ts';

/** A pickle up to this size is read whole and held to its checksum; a longer one has arrays in it that stay in the file. */
const MAX_WHOLE = 4 * 2 ** 20;
/** torch.save stores; what was packed again is unpacked up to this size, and what several tensors share is kept. */
const MAX_UNPACKED = 128 * 2 ** 20;

interface Archive {
  readonly zip: Zip;
  /** The folder that everything lies in, such as `archive`. */
  readonly root: string;
  readonly bigEndian: boolean;
  readonly origin: Origin;
}

/** A checkpoint as torch.save writes it. Storages are read when asked for. Takes over `source`. */
export function archiveWeights(source: ByteSource, address: CheckpointAddress): WeightSource {
  const { unpickled, storages } = readArchive(source, { kind: 'weights', label: address.label });
  return torchWeights(source, unpickled, address, storages);
}

/** What torch.save wrote as inert data, and where the bytes of its tensors lie. */
export function readArchive(
  source: ByteSource,
  origin: Origin,
): {
  readonly unpickled: Unpickled;
  storages(tensors: ReadonlyMap<string, PickleTensor>): Storages;
} {
  const archive = openArchive(openZip(source, origin), origin);
  const pickle = pickleOf(archive);
  return {
    unpickled: unpickle(pickle, origin),
    storages: (tensors) => storagesOf(archive, pickle, tensors),
  };
}

function openArchive(zip: Zip, origin: Origin): Archive {
  const names = [...zip.entries.keys()];
  const roots = names
    .filter((name) => /^[^/]+\/data\.pkl$/.test(name))
    .map((name) => name.slice(0, name.indexOf('/')));
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    const npz = names.length > 0 && names.every((name) => name.endsWith('.npy'));
    const what = npz
      ? 'a NumPy archive'
      : 'a zip archive, but not one of torch.save (no NAME/data.pkl in it)';
    throw fault(origin, `this is ${what}; save the tensors with torch.save or as safetensors`);
  }
  if (zip.entries.has(`${root}/constants.pkl`) || names.some((name) => name.startsWith(`${root}/code/`))) {
    throw fault(
      origin,
      'this is a TorchScript program (torch.jit.save); save its tensors: ' +
        "torch.save(torch.jit.load('it.pt').state_dict(), 'weights.pt')",
    );
  }
  const mark = zip.entries.get(`${root}/byteorder`);
  const order =
    mark === undefined || mark.size > 16 ? 'little' : new TextDecoder().decode(zip.read(mark)).trim();
  if (order !== 'little' && order !== 'big')
    throw fault(origin, `its byte order is ${JSON.stringify(order)}`);
  return { zip, root, bigEndian: order === 'big', origin };
}

function pickleOf({ zip, root, origin }: Archive): ByteSource {
  const entry = zip.entries.get(`${root}/data.pkl`)!;
  if (entry.size <= MAX_WHOLE) return bytesInMemory(zip.read(entry), origin);
  if (entry.method === 'deflate') throw tooLarge(origin, entry, MAX_WHOLE);
  return {
    size: entry.size,
    read: (offset, length, scratch) => zip.read(entry, offset, length, scratch),
    close() {},
  };
}

function storagesOf(
  { zip, root, bigEndian, origin }: Archive,
  pickle: ByteSource,
  tensors: ReadonlyMap<string, PickleTensor>,
): Storages {
  const entryOf = (key: string) => zip.entries.get(`${root}/data/${key}`);
  const shared = sharedPacked(tensors, entryOf, origin);
  const unpacked = new Map<string, Uint8Array>();
  return {
    bigEndian,
    size: (key) => entryOf(key)?.size ?? null,
    read(key, offset, length, scratch) {
      const entry = entryOf(key)!;
      if (!shared.has(key)) return zip.read(entry, offset, length, scratch);
      const whole = unpacked.get(key) ?? zip.read(entry);
      unpacked.set(key, whole);
      return whole.subarray(offset, offset + length);
    },
    readSpan: ({ offset, length }, scratch) => pickle.read(offset, length, scratch),
  };
}

/** The packed storages that several tensors share: each is unpacked once. Throws where packed storages are too large. */
function sharedPacked(
  tensors: ReadonlyMap<string, PickleTensor>,
  entryOf: (key: string) => ZipEntry | undefined,
  origin: Origin,
): ReadonlySet<string> {
  const [seen, shared] = [new Set<string>(), new Set<string>()];
  let kept = 0;
  for (const { storage } of tensors.values()) {
    const entry = storage.kind === 'storage' ? entryOf(storage.key) : undefined;
    if (storage.kind !== 'storage' || entry?.method !== 'deflate') continue;
    if (seen.has(storage.key) && !shared.has(storage.key)) {
      shared.add(storage.key);
      kept += entry.size;
    }
    seen.add(storage.key);
    if (Math.max(entry.size, kept) > MAX_UNPACKED) throw tooLarge(origin, entry, MAX_UNPACKED);
  }
  return shared;
}

function tooLarge(origin: Origin, { name, size }: ZipEntry, most: number) {
  return fault(
    origin,
    `entry ${JSON.stringify(name)} is packed and has ${size} bytes; packed entries are read up to ${most / 2 ** 20} MB ` +
      'in all: unpack the archive and store it with `zip -0`',
  );
}
