// Images that a job reads: pictures, arrays of bytes, tensors, as values that a model takes.

import path from 'node:path';
import type { Origin } from '../../runtime/bytes.ts';
import { fault } from '../../runtime/bytes.ts';
import { listFolder, readableKind, readFile } from '../../runtime/host/node/files.ts';
import { decodePng, type PictureSize, sizeOfPng } from '../../runtime/host/node/png.ts';
import type { Pixels } from '../../runtime/image/pixels.ts';
import { dequantize, fromPixels } from '../../runtime/image/pixels.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { elements } from '../../runtime/tensor.ts';
import { decode, isFloating } from '../../runtime/weights/dtypes.ts';
import { asFloat32, readTensors } from '../../runtime/weights/safetensors.ts';
import { sha256Of, sha256OfValues } from '../digest.ts';
import { naturalOrder } from './natural-order.ts';
import { readArrays } from './numpy-files.ts';
import { isSheet } from './store.ts';

/**
 * An image from a file before the model's channels are known. `name` is what a manifest calls it: its file, and of a file
 * of many its place there. `digest` is of its pixels or values.
 */
export type InputImage = {
  readonly origin: Origin;
  readonly name: string;
  readonly digest: string;
} /** Its pixels are unpacked when they are asked for, behind the check of its size. */ & (
  | { readonly kind: 'png'; readonly size: PictureSize; readonly pixels: Pixels }
  /** Bytes [...space, C], as evaluation scripts take them. */
  | { readonly kind: 'bytes'; readonly shape: readonly number[]; readonly data: Uint8Array }
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
);

/** The images of a file or folder, and the label of each where the file has them. */
export interface InputImages {
  readonly images: readonly InputImage[];
  readonly labels: readonly number[] | null;
}

/**
 * A PNG, a folder of them in the order in which people count their names (files that begin with a dot are hidden), the
 * tensor `name` of a safetensors file, or arr_0 and the labels arr_1 of a `.npz`, as `sample` and `merge` write it. Throws
 * RuntimeError('input').
 */
export function readImages(file: string, name: string): InputImages {
  const origin: Origin = { kind: 'input', label: file };
  if (readableKind(origin) === 'folder') {
    const names = listFolder(origin).filter((entry) => /^[^/.][^/]*\.png$/i.test(entry) && !isSheet(entry));
    if (names.length === 0) throw fault(origin, 'the folder holds no PNG');
    return unlabelled(names.toSorted(naturalOrder).map((entry) => readPng(path.join(file, entry))));
  }
  if (/\.png$/i.test(file)) return unlabelled([readPng(file)]);
  if (/\.np[yz]$/i.test(file)) return readByteImages(origin);
  if (/\.safetensors$/i.test(file))
    return unlabelled(splitBatch(wanted(readFloats(origin), name, origin), name, origin));
  throw fault(
    origin,
    `images are a .png, a folder of them, or a .npz of bytes or a .safetensors with ${name}`,
  );
}

function unlabelled(images: readonly InputImage[]): InputImages {
  return { images, labels: null };
}

/** `arr_0` [N, ...space, C] in bytes, and `arr_1` [N]. */
function readByteImages(origin: Origin): InputImages {
  const arrays = readArrays(origin, ['arr_0', 'arr_1']);
  const { dtype, shape, bytes } = arrays.get('arr_0') ?? missingArray(origin);
  const [count = 0, ...one] = shape;
  if (dtype !== 'U8' || shape.length < 3 || count === 0) {
    throw fault(
      origin,
      `arr_0 is [${shape.join(', ')}] of ${dtype}; images are bytes (uint8), [N, ...size, channels]`,
    );
  }
  const length = elements(one);
  const images = Array.from({ length: count }, (_, k): InputImage => {
    const data = bytes.subarray(k * length, (k + 1) * length);
    const digest = sha256Of(`${one.join(' ')} ${sha256Of(data)}`);
    return { kind: 'bytes', origin, name: `${origin.label}[${k}]`, digest, shape: one, data };
  });
  const labels = arrays.get('arr_1');
  if (labels === undefined) return unlabelled(images);
  if (isFloating(labels.dtype) || labels.shape.join() !== String(count)) {
    throw fault(
      origin,
      `arr_1 is [${labels.shape.join(', ')}] of ${labels.dtype}; labels are whole numbers, one an image: [${count}]`,
    );
  }
  const values = decode(labels.dtype, labels.bytes);
  return { images, labels: Array.from(values as ArrayLike<number | bigint>, Number) };
}

function missingArray(origin: Origin): never {
  throw fault(origin, 'there is no array arr_0; images are arr_0, and their labels arr_1');
}

function readPng(file: string): InputImage {
  const origin: Origin = { kind: 'input', label: file };
  const bytes = readFile(origin);
  let unpacked: Pixels | null = null;
  const pixels = () => {
    unpacked ??= decodePng(bytes, origin);
    return unpacked;
  };
  return {
    kind: 'png',
    origin,
    name: file,
    size: sizeOfPng(bytes, origin),
    get pixels() {
      return pixels();
    },
    get digest() {
      const { width, height, channels, data } = pixels();
      return sha256Of(`${width} ${height} ${channels} ${sha256Of(data)}`);
    },
  };
}

/** The tensors of a safetensors file in float32. */
export function readFloats(origin: Origin): ReadonlyMap<string, Tensor> {
  const tensors = readTensors(readFile(origin), origin);
  return new Map([...tensors].map(([name, tensor]) => [name, asFloat32(tensor)]));
}

/** The tensor of a name. Throws with those that there are. */
export function wanted(tensors: ReadonlyMap<string, Tensor>, name: string, origin: Origin): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw fault(origin, `there is no tensor ${name}, only ${[...tensors.keys()].join(', ')}`);
  }
  return tensor;
}

/** The images of a batch, each on its own. */
export function splitBatch(
  { shape: [count = 0, ...shape], data }: Tensor,
  name: string,
  origin: Origin,
): readonly InputImage[] {
  if (count === 0) throw fault(origin, `${name} has no images`);
  const length = elements(shape);
  return Array.from({ length: count }, (_, k) => {
    const row = data.subarray(k * length, (k + 1) * length);
    return {
      kind: 'tensor',
      origin,
      name: `${origin.label}[${k}]`,
      digest: sha256OfValues(row),
      tensor: { shape, data: row },
    };
  });
}

/** An image as values of `shape` in [-1, 1]. Throws RuntimeError('input') where it is of another. */
export function imageValues(image: InputImage, shape: readonly number[]): Float32Array {
  const tensor = tensorOf(image, shape);
  checkShape('the image', tensor.shape, shape, image.origin);
  return tensor.data;
}

function tensorOf(image: InputImage, shape: readonly number[]): Tensor {
  switch (image.kind) {
    case 'tensor':
      return image.tensor;
    case 'png': {
      const { width, height } = image.size;
      // by the header: a picture of millions of pixels is not unpacked to be refused
      if (shape.length === 3) checkShape('the image', [shape[0]!, height, width], shape, image.origin);
      return pngTensor(image.pixels, shape, image.origin);
    }
    case 'bytes':
      return bytesTensor(image.shape, image.data);
  }
}

/** Bytes [...space, C] as values [C, ...space]. */
function bytesTensor(shape: readonly number[], bytes: Uint8Array): Tensor {
  const [channels, space] = [shape.at(-1)!, shape.slice(0, -1)];
  const area = elements(space);
  const data = new Float32Array(bytes.length);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < channels; c++) data[c * area + i] = dequantize(bytes[i * channels + c]!);
  }
  return { shape: [channels, ...space], data };
}

function pngTensor(pixels: Pixels, shape: readonly number[], origin: Origin): Tensor {
  const [channels, ...space] = shape;
  if (space.length !== 2 || (channels !== 1 && channels !== 3)) {
    throw fault(
      origin,
      `the model takes images of [${shape.join(', ')}], which no PNG holds; give a .safetensors`,
    );
  }
  const tensor = fromPixels(pixels, channels);
  if (tensor === null)
    throw fault(origin, 'the picture is coloured, and the model takes grey; convert it to grey');
  return tensor;
}

/** Throws RuntimeError where a sample has another shape than the model takes. */
export function checkShape(
  what: string,
  found: readonly number[],
  expected: readonly number[],
  origin: Origin,
): void {
  if (found.length === expected.length && found.every((size, i) => size === expected[i])) return;
  throw fault(
    origin,
    `${what} is [${found.join(', ')}] a sample, and the model takes [${expected.join(', ')}] (channels, then size)`,
  );
}
