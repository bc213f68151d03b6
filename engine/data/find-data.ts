// What a path has for training: a folder of pictures, of IDX or of CIFAR's files, or one file of arrays, by its name or,
// where that says nothing, by its first bytes.

import path from 'node:path';
import { fault, type Origin } from '../../runtime/bytes.ts';
import { namesIn, openFile, readableKind } from '../../runtime/host/node/files.ts';
import type { ArraySet } from './array-set.ts';
import { cifarFiles, openCifar } from './cifar.ts';
import { idxImages, isIdxName, openIdx } from './idx.ts';
import { openNpy, openNpz } from './npz.ts';
import { openTensors } from './tensors.ts';

export type FoundData = { readonly kind: 'pictures' } | { readonly kind: 'arrays'; open(): ArraySet };

const TAKEN =
  'data is a folder of PNG and JPEG, an .npz or .npy, IDX (MNIST), the binary files of CIFAR, or a .safetensors with x_start';

/** Throws RuntimeError('input') where there is nothing that is read. */
export function findData(place: string): FoundData {
  const origin: Origin = { kind: 'input', label: place };
  switch (readableKind(origin)) {
    case 'missing':
      throw fault(origin, `there is no such file or folder; ${TAKEN}`);
    case 'folder':
      return inFolder(place, origin);
    case 'file':
      return { kind: 'arrays', open: () => openArrays(place, origin) };
  }
}

function inFolder(folder: string, origin: Origin): FoundData {
  const names = namesIn(origin);
  const images = idxImages(names, origin);
  const cifar = cifarFiles(names);
  const pictures = names.some((name) => /\.(png|jpe?g|gif)$/i.test(name));
  const found = [
    ...(images === null ? [] : [`IDX (${images})`]),
    ...(cifar.length === 0 ? [] : [`CIFAR's files (${cifar[0]})`]),
    ...(pictures ? ['pictures'] : []),
  ];
  if (found.length > 1) {
    throw fault(
      origin,
      `the folder has ${found.join(' and ')}; name the file, or move one of them elsewhere`,
    );
  }
  if (images !== null) return { kind: 'arrays', open: () => openIdx(path.join(folder, images)) };
  if (cifar.length > 0) {
    return { kind: 'arrays', open: () => openCifar(cifar.map((name) => path.join(folder, name))) };
  }
  return { kind: 'pictures' };
}

function openArrays(file: string, origin: Origin): ArraySet {
  const name = path.basename(file);
  if (/\.npz$/i.test(name)) return openNpz(file);
  if (/\.npy$/i.test(name)) return openNpy(file);
  if (/\.safetensors$/i.test(name)) return openTensors(file);
  if (/\.bin$/i.test(name)) return openCifar([file]);
  if (isIdxName(name)) return openIdx(file);
  if (/\.(png|jpe?g|gif)$/i.test(name)) {
    throw fault(origin, 'this is one picture; name the folder that it lies in');
  }
  const start = firstBytes(origin);
  const begins = (...bytes: readonly number[]) => bytes.every((byte, i) => start[i] === byte);
  if (begins(0x50, 0x4b, 3, 4)) return openNpz(file);
  if (begins(0x93, 0x4e, 0x55, 0x4d)) return openNpy(file);
  if (begins(0, 0) || begins(0x1f, 0x8b)) return openIdx(file);
  throw fault(origin, `this is none of the kinds of data that are read; ${TAKEN}`);
}

function firstBytes(origin: Origin): Uint8Array {
  const source = openFile(origin);
  try {
    return source.read(0, Math.min(4, source.size));
  } finally {
    source.close();
  }
}
