// Reads what torch.save writes: a zip archive of `data.pkl` (names, shapes, strides) and `data/KEY` (storages).
// Tensors are views of storages: several may share one, and their elements need not lie in order.

import { type ByteSource, fault, type Origin } from '../bytes.ts';
import type { Scratch } from '../scratch.ts';
import { countElements, DTYPE_BYTES, isFloating, swapBytes, toFloat32 } from './dtypes.ts';
import { unpickle } from './pickle.ts';
import type { PickleTensor } from './pickle-values.ts';
import type { WeightSource } from './source.ts';
import { findStateDict } from './state-dict.ts';
import { openZip, type Zip, type ZipEntry } from './zip.ts';

/** Elements that one tensor may spread to (a stride of 0 repeats elements without storing them): 4 GiB of float32. */
const MAX_ELEMENTS = 2 ** 30;

interface Archive {
  readonly zip: Zip;
  /** The folder that everything lies in, such as `archive`. */
  readonly root: string;
  readonly bigEndian: boolean;
  readonly origin: Origin;
}

/** A checkpoint as torch.save wrote it. Storages are read when asked for. */
export function torchWeights(source: ByteSource, label: string): WeightSource {
  const origin: Origin = { kind: 'weights', label };
  const archive = openArchive(openZip(source, origin), origin);
  const pickle = archive.zip.entries.get(`${archive.root}/data.pkl`)!;
  const { tensors, note } = findStateDict(unpickle(archive.zip.read(pickle), origin), origin);
  for (const [name, tensor] of tensors) checkExtent(archive, name, tensor);
  return {
    label,
    tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })),
    ...(note === null ? {} : { notes: [note] }),
    read(name, shape, scratch) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw fault(origin, `there is no tensor ${JSON.stringify(name)}`);
      if (countElements(shape) !== countElements(tensor.shape)) {
        throw fault(
          origin,
          `tensor ${JSON.stringify(name)} is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`,
        );
      }
      return readTensor(archive, name, tensor, scratch);
    },
    close: () => source.close(),
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

/** The storage of a tensor must be there, whole, and hold every element that the tensor reaches. */
function checkExtent({ zip, root, origin }: Archive, name: string, tensor: PickleTensor): void {
  const { storage, dtype, offset, shape } = tensor;
  const what = `tensor ${JSON.stringify(name)}`;
  const entry = zip.entries.get(`${root}/data/${storage.key}`);
  if (entry === undefined)
    throw damaged(origin, `${what}: its storage data/${storage.key} is not in the archive`);
  const bytes = storage.count * (storage.dtype === null ? 1 : DTYPE_BYTES[storage.dtype]);
  if (entry.size !== bytes) {
    throw damaged(
      origin,
      `${what}: its storage data/${storage.key} has ${entry.size} bytes instead of ${bytes}`,
    );
  }
  if (storage.dtype !== null && storage.dtype !== dtype) {
    throw damaged(origin, `${what}: it is of type ${dtype}, its storage of ${storage.dtype}`);
  }
  const count = countElements(shape);
  if (count === null || count > MAX_ELEMENTS) {
    throw damaged(
      origin,
      `${what}: [${shape.join(', ')}] has more elements than the ${MAX_ELEMENTS} that are read`,
    );
  }
  const end = offset + span(tensor);
  if (end * DTYPE_BYTES[dtype] > bytes) {
    throw damaged(origin, `${what}: it reaches element ${end} of a storage of ${bytes / DTYPE_BYTES[dtype]}`);
  }
}

/** Elements from a tensor's first to its last in the storage; 0 for an empty tensor. */
function span({ shape, stride }: PickleTensor): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * stride[axis]!, 1);
}

function readTensor(archive: Archive, name: string, tensor: PickleTensor, scratch?: Scratch): Float32Array {
  const { zip, root, bigEndian, origin } = archive;
  const { dtype, storage, offset, shape, stride } = tensor;
  if (!isFloating(dtype)) {
    throw fault(
      origin,
      `tensor ${JSON.stringify(name)} is of type ${dtype}; weights are F32, F16, BF16 or F64`,
    );
  }
  const entry: ZipEntry = zip.entries.get(`${root}/data/${storage.key}`)!;
  const size = DTYPE_BYTES[dtype];
  const bytes = zip.read(entry, offset * size, span(tensor) * size, scratch);
  const values = toFloat32(dtype, bigEndian ? swapBytes(dtype, bytes) : bytes, scratch)!;
  return isRowMajor(shape, stride) ? values : gather(values, shape, stride);
}

function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Puts the elements of a strided view in row-major order. */
function gather(values: Float32Array, shape: readonly number[], stride: readonly number[]): Float32Array {
  const count = countElements(shape)!;
  const gathered = new Float32Array(count);
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    gathered[i] = values[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += stride[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      at -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return gathered;
}

function damaged(origin: Origin, message: string) {
  return fault(origin, `${message}; the checkpoint is damaged: download, copy or save it again`);
}
