// Files of arrays as data: where images and labels are found, how they become samples, what is refused.

import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Batch, Wanted } from '../../../engine/data/batch.ts';
import { openData } from '../../../engine/data/open-data.ts';
import { dequantize } from '../../../runtime/image/pixels.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { cifarFile, idxFile, npyFile, npzFile } from '../../fixtures/array-files.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

const wanted: Wanted = { channels: 1, space: [4, 4], classes: null, low_res: null, range: 1 };

function write(name: string, bytes: Uint8Array): string {
  fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), bytes);
  return at(name);
}

/** All samples at once, in the order of the data. */
async function all(place: string, model: Wanted): Promise<Batch> {
  const data = await openData(place, model, { workers: 0 });
  try {
    const { value } = await data.rows({ batch: data.count }).next();
    return value!;
  } finally {
    await data.close();
  }
}

const bytes = (count: number, value = (i: number) => (i * 37) % 256) =>
  Uint8Array.from({ length: count }, (_, i) => value(i));
const rows = (batch: Batch) => Array.from(batch.x_start.data);

describe('IDX', () => {
  const images = idxFile(8, [3, 4, 4], (i) => i * 5);
  const labels = idxFile(8, [3], (i) => i + 1);

  test.each([
    ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', false, false],
    ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte', true, false],
    ['t10k-images.idx3-ubyte', 't10k-labels.idx1-ubyte.gz', false, true],
    ['emnist-letters-train-images-idx3-ubyte.gz', 'emnist-letters-train-labels-idx1-ubyte.gz', true, true],
  ])('%s with %s', async (imageName, labelName, packedImages, packedLabels) => {
    write(`d/${labelName}`, packedLabels ? gzipSync(labels) : labels);
    const file = write(`d/${imageName}`, packedImages ? gzipSync(images) : images);
    for (const place of [file, at('d')]) {
      const batch = await all(place, { ...wanted, classes: 5 });
      expect(batch.x_start.shape).toEqual([3, 1, 4, 4]);
      expect(rows(batch)).toEqual(Array.from({ length: 48 }, (_, i) => dequantize(i * 5)));
      expect([...(batch.y as Int32Array)]).toEqual([1, 2, 3]);
    }
  });

  test('in a folder the images for training count; others by their names', async () => {
    write('train-images-idx3-ubyte', images);
    write(
      't10k-images-idx3-ubyte',
      idxFile(8, [1, 4, 4], () => 0),
    );
    expect((await all(at(), wanted)).samples).toEqual([0, 1, 2]);
    expect((await all(at('t10k-images-idx3-ubyte'), wanted)).samples).toEqual([0]);
  });

  test('floats are big-endian', async () => {
    const file = write(
      'x-images-idx3-float',
      idxFile(13, [2, 4, 4], (i) => i / 32 - 0.5),
    );
    expect(rows(await all(file, wanted))).toEqual(Array.from({ length: 32 }, (_, i) => i / 32 - 0.5));
  });

  test.each([
    ['labels alone', 'train-labels-idx1-ubyte', labels, 'these are labels; name the file of images'],
    [
      'a cut file',
      'a-images-idx3-ubyte',
      images.subarray(0, 40),
      '[3, 4, 4] of U8 takes 48 bytes, and 24 follow',
    ],
    ['a cut header', 'a-images-idx3-ubyte', images.subarray(0, 9), 'it ends in its header'],
    [
      'another type',
      'a-images-idx3-ubyte',
      Uint8Array.of(0, 0, 7, 1, 0, 0, 0, 0),
      'it begins with 00 00 07 01',
    ],
    ['nothing', 'a-images-idx3-ubyte', new Uint8Array(0), 'it begins with nothing'],
    ['a broken archive', 'a-images-idx3-ubyte.gz', gzipSync(images).subarray(0, 20), 'it cannot be unpacked'],
  ])('%s', async (_, name, content, message) => {
    const file = write(name, content);
    await expect(all(file, wanted)).rejects.toThrow(`${file}: ${message}`);
  });
});

describe('.npz and .npy', () => {
  const pixels = bytes(2 * 4 * 4 * 3);
  /** Channels last to first. */
  const turned = Array.from({ length: 96 }, (_, i) => {
    const [sample, channel, pixel] = [Math.floor(i / 48), Math.floor(i / 16) % 3, i % 16];
    return dequantize(pixels[sample * 48 + pixel * 3 + channel]!);
  });
  const rgb = { ...wanted, channels: 3 };

  test('what `sample --format npz` writes: arr_0 with channels last, arr_1', async () => {
    const file = write(
      'samples.npz',
      npzFile({
        arr_0: { shape: [2, 4, 4, 3], data: pixels },
        arr_1: { shape: [2], data: BigInt64Array.of(4n, 2n) },
      }),
    );
    const batch = await all(file, { ...rgb, classes: 5 });
    expect(rows(batch)).toEqual(turned);
    expect([...(batch.y as Int32Array)]).toEqual([4, 2]);
    expect((await all(file, rgb)).y).toBeUndefined();
  });

  test.each([
    ['images', 'labels'],
    ['x_train', 'y_train'],
    ['train_images', 'train_labels'],
    ['x', 'y'],
  ])('named %s and %s', async (images, labels) => {
    const file = write(
      'a.npz',
      npzFile({
        [images]: { shape: [2, 3, 4, 4], data: pixels },
        [labels]: { shape: [2, 1], data: BigInt64Array.of(1n, 0n) },
        x_test: { shape: [1], data: Uint8Array.of(1) },
      }),
    );
    const batch = await all(file, { ...rgb, classes: 2 });
    expect(rows(batch)).toEqual([...pixels].map(dequantize));
    expect([...(batch.y as Int32Array)]).toEqual([1, 0]);
  });

  test('pictures in bytes may be of any size and colour', async () => {
    const file = write(
      'big.npy',
      npyFile(
        '|u1',
        [1, 8, 8],
        bytes(64, () => 200),
      ),
    );
    expect(rows(await all(file, rgb))).toEqual(Array(48).fill(dequantize(200)));
    const red = write(
      'red.npy',
      npyFile(
        '|u1',
        [1, 8, 8, 3],
        bytes(192, (i) => (i % 3 === 0 ? 255 : 0)),
      ),
    );
    expect(new Set(rows(await all(red, wanted)))).toEqual(new Set([dequantize(76)]));
  });

  test.each([
    ['<f4', new Float32Array(32).map((_, i) => i / 32)],
    ['<f8', new Float64Array(32).map((_, i) => i / 32)],
    ['>f4', new Float32Array(new Float32Array(32).map((_, i) => i / 32)).map((x) => x)],
  ] as const)('numbers of %s are as they are', async (descr, data) => {
    const stored = descr === '>f4' ? bigEndian(data as Float32Array) : data;
    const file = write('a.npy', npyFile(descr, [2, 4, 4], stored));
    expect(rows(await all(file, wanted))).toEqual(Array.from({ length: 32 }, (_, i) => i / 32));
  });

  test('16 bits keep what they have', async () => {
    const file = write(
      'a.npy',
      npyFile(
        '<u2',
        [1, 4, 4, 1],
        new Uint16Array(16).map((_, i) => i * 4369),
      ),
    );
    expect(rows(await all(file, wanted)).at(-1)).toBe(1);
    expect(rows(await all(file, wanted))[0]).toBe(-1);
  });

  test.each([
    [[2, 16], [16], 1],
    [[2, 16, 2], [16], 2],
    [[2, 2, 2, 4], [2, 2, 4], 1],
    [[2, 3, 2, 2, 4], [2, 2, 4], 3],
    [[2, 2, 2, 4, 3], [2, 2, 4], 3],
  ] as const)('%j is data of size %j in %i channels', async (shape, space, channels) => {
    const count = shape.reduce((n: number, size) => n * size, 1);
    const file = write(
      'a.npy',
      npyFile(
        '<f4',
        shape,
        new Float32Array(count).map((_, i) => i / count),
      ),
    );
    const batch = await all(file, { ...wanted, space, channels });
    expect(batch.x_start.shape).toEqual([2, channels, ...space]);
    const last = shape.length > space.length + 1 && shape.at(-1) === channels;
    const area = count / 2 / channels;
    expect(rows(batch)[1]).toBe(Math.fround((last ? channels : 1) / count));
    expect(rows(batch)[area - 1]).toBe(Math.fround((last ? (area - 1) * channels : area - 1) / count));
  });

  test.each([
    ['<c8', [1], new Float32Array(2), "elements of type '<c8' are not read; store numbers, such as uint8"],
    ['<i4', [2, 4, 4], new Int32Array(32), 'it is of I32; images are uint8, uint16, or floating-point'],
    ['<f4', [2, 5, 4], new Float32Array(40), 'it is [2, 5, 4] of F32, and the model takes [N, 4, 4]'],
    ['|u1', [2, 4, 4, 5], new Uint8Array(160), 'pictures in uint8 may be of any size; change the graph'],
    ['<f4', [0, 4, 4], new Float32Array(0), 'it has no samples'],
    ['<f4', [2, 4, 4], new Float32Array(31), '[2, 4, 4] of F32 takes 128 bytes, and it has 124'],
    [
      '<f4',
      [1, 4, 4],
      new Float32Array(16).fill(255),
      'sample 0 has 255 at element 0, expected values in [-1, 1]; scale',
    ],
    [
      '<f4',
      [1, 4, 4],
      new Float32Array(16).fill(Number.NaN),
      'sample 0 has NaN at element 0; values must be finite',
    ],
  ] as const)('%s %j: refused', async (descr, shape, data, message) => {
    const file = write('a.npy', npyFile(descr, shape, data));
    await expect(all(file, wanted)).rejects.toThrow(message);
  });

  test('an array stored column by column is refused, and a range of the graph is kept', async () => {
    const file = write('a.npy', npyFile('<f4', [2, 4, 4], new Float32Array(32), 'True'));
    await expect(all(file, wanted)).rejects.toThrow(
      "in Fortran's order, column by column; save numpy.ascontiguousarray",
    );
    const far = write('b.npy', npyFile('<f4', [1, 4, 4], new Float32Array(16).fill(30)));
    expect(rows(await all(far, { ...wanted, range: null }))).toEqual(Array(16).fill(30));
  });

  test('several arrays of unknown names', async () => {
    const one = { shape: [1, 4, 4], data: bytes(16) };
    expect(rows(await all(write('a.npz', npzFile({ anything: one })), wanted))).toHaveLength(16);
    const file = write('b.npz', npzFile({ left: one, right: one }));
    await expect(all(file, wanted)).rejects.toThrow(
      `${file}: it has left, right; images are called x_start, arr_0`,
    );
  });
});

describe('labels', () => {
  const images = { shape: [2, 4, 4], data: bytes(32) };
  test.each([
    ['too few', { shape: [1], data: BigInt64Array.of(1n) }, 'the labels are [1], and there are 2 samples'],
    ['negative', { shape: [2], data: BigInt64Array.of(1n, -1n) }, 'label 1 is -1; labels are whole numbers'],
    [
      'beyond the classes',
      { shape: [2], data: BigInt64Array.of(3n, 4n) },
      "label 1 is 4; labels are below the graph's 4",
    ],
    ['one-hot', { shape: [2, 4], data: new Uint8Array(8) }, 'the labels are [2, 4]'],
  ])('%s', async (_, labels, message) => {
    const file = write('a.npz', npzFile({ arr_0: images, arr_1: labels }));
    await expect(all(file, { ...wanted, classes: 4 })).rejects.toThrow(`${file}: arr_1: ${message}`);
  });

  test('none, and the graph has classes', async () => {
    const file = write('a.npz', npzFile({ arr_0: images }));
    await expect(all(file, { ...wanted, classes: 4 })).rejects.toThrow(
      'it has no labels, and the graph has 4 classes',
    );
  });
});

describe('CIFAR', () => {
  const rgb = { ...wanted, channels: 3, space: [32, 32] };
  const value = (record: number, i: number) => record * 11 + i;

  test('the files for training in their order, with the names of classes', async () => {
    write('data_batch_2.bin', cifarFile([[9], [0]], value));
    write('data_batch_1.bin', cifarFile([[3]], value));
    write('test_batch.bin', cifarFile([[1]], value));
    write(
      'batches.meta.txt',
      new TextEncoder().encode(`${Array.from({ length: 10 }, (_, i) => `name${i}`).join('\n')}\n\n`),
    );
    const batch = await all(at(), { ...rgb, classes: 10 });
    expect([...(batch.y as Int32Array)]).toEqual([3, 9, 0]);
    expect(batch.x_start.data[2 * 3072 + 5]).toBe(dequantize(16));
    const data = await openData(at(), { ...rgb, classes: 10 }, { workers: 0 });
    expect(data.classes).toEqual([
      { label: 0, name: 'name0', count: 1 },
      { label: 3, name: 'name3', count: 1 },
      { label: 9, name: 'name9', count: 1 },
    ]);
    await data.close();
    expect([...((await all(at('test_batch.bin'), { ...rgb, classes: 10 })).y as Int32Array)]).toEqual([1]);
  });

  test('of CIFAR-100 the fine label counts', async () => {
    write(
      'train.bin',
      cifarFile(
        [
          [4, 77],
          [5, 99],
        ],
        value,
      ),
    );
    const batch = await all(at(), { ...rgb, classes: 100 });
    expect([...(batch.y as Int32Array)]).toEqual([77, 99]);
    expect(batch.x_start.data[1]).toBe(dequantize(1));
  });

  test('damaged files', async () => {
    const file = write('data_batch_1.bin', cifarFile([[3]], value).subarray(1));
    await expect(all(file, rgb)).rejects.toThrow('it has 3072 bytes, no whole number of records of 3073');
    const labels = write('data_batch_1.bin', cifarFile([[3], [10]], value));
    await expect(all(labels, rgb)).rejects.toThrow('the label of image 1 is 10, and CIFAR-10 has 10 classes');
  });
});

describe('.safetensors', () => {
  const x_start = { shape: [2, 1, 4, 4], data: new Float32Array(32).map((_, i) => i / 32) };
  test('x_start with y and low_res', async () => {
    const file = write(
      'a.safetensors',
      writeTensors(
        new Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>([
          ['x_start', x_start],
          ['y', { shape: [2], data: BigInt64Array.of(1n, 2n) }],
          ['low_res', { shape: [2, 1, 2, 2], data: new Float32Array(8).fill(0.5) }],
        ]),
      ),
    );
    const batch = await all(file, { ...wanted, classes: 3, low_res: [2, 2] });
    expect(rows(batch)).toEqual([...x_start.data]);
    expect(batch.low_res).toEqual({ shape: [2, 1, 2, 2], data: new Float32Array(8).fill(0.5) });
    await expect(all(file, { ...wanted, low_res: [3, 3] })).rejects.toThrow(
      'a.safetensors: low_res: it is [2, 1, 2, 2] of F32, and the model takes [N, 3, 3]',
    );
    // where the data has none they are means over areas
    const bare = write('b.safetensors', writeTensors(new Map([['x_start', x_start]])));
    const made = await all(bare, { ...wanted, low_res: [2, 2] });
    expect(made.low_res!.data[0]).toBeCloseTo((0 + 1 + 4 + 5) / 4 / 32, 6);
  });

  test('without x_start', async () => {
    const file = write('a.safetensors', writeTensors(new Map([['images', x_start]])));
    await expect(all(file, wanted)).rejects.toThrow(`${file}: it has images; the samples are called x_start`);
  });
});

describe('what is no data', () => {
  test.each([
    ['nothing there', 'gone', null, 'there is no such file or folder; data is a folder of PNG'],
    ['one picture', 'a.png', Uint8Array.of(1), 'this is one picture; name the folder'],
    ['a text', 'a.txt', Uint8Array.of(65, 66, 67, 68), 'this is none of the kinds of data'],
  ])('%s', async (_, name, content, message) => {
    if (content !== null) write(name, content);
    await expect(all(at(name), wanted)).rejects.toThrow(`${at(name)}: ${message}`);
  });

  test('a folder of two kinds', async () => {
    write('train-images-idx3-ubyte', new Uint8Array(1));
    write('cat_1.png', new Uint8Array(1));
    await expect(all(at(), wanted)).rejects.toThrow(
      'the folder has IDX (train-images-idx3-ubyte) and pictures; name the file',
    );
  });

  test('a file without a name of its kind is known by its first bytes', async () => {
    expect(rows(await all(write('data', npyFile('|u1', [1, 4, 4], bytes(16))), wanted))).toHaveLength(16);
    expect(rows(await all(write('data', gzipSync(idxFile(8, [1, 4, 4], () => 0))), wanted))).toHaveLength(16);
  });
});

function bigEndian(data: Float32Array): Uint8Array {
  const swapped = Buffer.alloc(data.length * 4);
  for (const [i, value] of data.entries()) swapped.writeFloatBE(value, i * 4);
  return new Uint8Array(swapped);
}
