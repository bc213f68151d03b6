// Arrays and pictures: `.npy`, `.npz`, PNG.

import { deflateSync } from 'node:zlib';
import { int64Array, npyChunks, npzChunks } from '../../../../engine/jobs/npy.ts';
import { arraysIn } from '../../../../engine/jobs/numpy-files.ts';
import { bytesInMemory, type Origin } from '../../../../runtime/bytes.ts';
import { decodePng, encodePng } from '../../../../runtime/host/node/png.ts';
import { crc32 } from '../../../../runtime/weights/crc32.ts';
import { countElements, DTYPE_BYTES } from '../../../../runtime/weights/dtypes.ts';
import { pngFile } from '../../../fixtures/png-file.ts';
import { joined, mutateBytes } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import { bytesOf, consistent, type Parser, readOr, refused, textOf } from '../parser.ts';
import type { Random } from '../random.ts';

const origin: Origin = { kind: 'input', label: 'input' };

const images = { dtype: '|u1', shape: [2, 3, 3, 1], values: () => [new Uint8Array(18)] } as const;
const NPY = [images, int64Array([1, 2])].map((array) => joined(...npyChunks(array)));
const NPZ = [
  joined(
    ...npzChunks(
      new Map([
        ['arr_0', images],
        ['arr_1', int64Array([3, 4])],
      ]),
    ),
  ),
];

/** The header changed as text, under a length that is mostly right. */
function npyInput(random: Random): Uint8Array {
  const seed = random.pick(NPY);
  if (random.oneIn(3)) return mutateBytes(seed, NPY, random);
  const length = seed[8]! | (seed[9]! << 8);
  const headers = NPY.map((one) => textOf(one.subarray(10, 10 + length)));
  const text = bytesOf(mutateText(textOf(seed.subarray(10, 10 + length)), headers, random));
  const size = random.oneIn(6) ? random.below(65536) : text.length;
  return joined(seed.subarray(0, 8), Uint8Array.of(size & 255, size >> 8), text, seed.subarray(10 + length));
}

export const npy: Parser = {
  name: 'npy',
  share: 8,
  make: npyInput,
  read: readAll,
};

export const npz: Parser = {
  name: 'npz',
  share: 8,
  make: (random) => mutateBytes(random.pick(NPZ), [...NPZ, ...NPY], random),
  read: readAll,
};

/** Reads every array that a job would, and holds its bytes against its shape. */
async function readAll(input: Uint8Array): Promise<boolean> {
  const arrays = await readOr(['input'], () =>
    arraysIn(bytesInMemory(input, origin), origin, ['arr_0', 'arr_1']),
  );
  if (arrays === refused) return false;
  for (const [name, { dtype, shape, bytes }] of arrays) {
    const expected = countElements(shape)! * DTYPE_BYTES[dtype];
    consistent(bytes.length === expected, () => `${name} is [${shape}] of ${dtype} in ${bytes.length} bytes`);
  }
  return true;
}

const pixels = (channels: 1 | 3) =>
  ({
    width: 5,
    height: 4,
    channels,
    data: Uint8Array.from({ length: 20 * channels }, (_, i) => i * 7),
  }) as const;
const shade = (x: number, y: number, channel: number) => x + 2 * y + channel;
const PNGS = [
  encodePng(pixels(1)),
  encodePng(pixels(3)),
  pngFile({ width: 9, height: 4, type: 0, bits: 1 }, (x, y) => (x ^ y) & 1),
  pngFile({ width: 5, height: 9, type: 0, bits: 16, interlaced: true }, (x, y) => 999 * x + y),
  pngFile(
    { width: 5, height: 4, type: 3, bits: 4, palette: [1, 2, 3, 40, 50, 60], transparent: [0] },
    (x) => x % 2,
  ),
  pngFile({ width: 5, height: 4, type: 4, bits: 8 }, shade),
  pngFile({ width: 6, height: 9, type: 6, bits: 8, interlaced: true }, shade),
  pngFile({ width: 5, height: 4, type: 2, bits: 8, transparent: [0, 1, 0, 2, 0, 3] }, shade),
];

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function chunksOf(png: Uint8Array): Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at)) {
    const data = png.subarray(at + 8, at + 8 + view.getUint32(at));
    chunks.push({ type: textOf(png.subarray(at + 4, at + 8)), data });
  }
  return chunks;
}

function pngOf(chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.map(({ type, data }) => {
    const body = joined(bytesOf(type), data);
    const [length, sum] = [new Uint8Array(4), new Uint8Array(4)];
    new DataView(length.buffer).setUint32(0, data.length);
    new DataView(sum.buffer).setUint32(0, crc32(body));
    return joined(length, body, sum);
  });
  return joined(PNGS[0]!.subarray(0, 8), ...parts);
}

/** Chunks changed under checksums that are right: header, palette, rows of any filter, order. */
function pngInput(random: Random): Uint8Array {
  const seed = random.pick(PNGS);
  if (random.oneIn(5)) return mutateBytes(seed, PNGS, random);
  const chunks = chunksOf(seed);
  const at = random.below(chunks.length);
  switch (random.below(5)) {
    case 0: {
      const header = Uint8Array.from(chunks[0]!.data);
      header[8] = random.pick([1, 2, 4, 8, 16]);
      header[9] = random.pick([0, 2, 3, 4, 6]);
      header[12] = random.below(2);
      return pngOf([{ type: 'IHDR', data: header }, ...chunks.slice(1)]);
    }
    case 1:
      return pngOf(chunks.toSpliced(at, 1));
    case 2:
      return pngOf(
        chunks.toSpliced(at, 0, {
          type: random.pick(['PLTE', 'tRNS', 'gAMA', 'IDAT', 'tEXt', 'IEND', 'abcd']),
          data: mutateBytes(new Uint8Array(12), PNGS, random),
        }),
      );
    case 3: {
      const rows = Uint8Array.from({ length: random.below(90) }, () =>
        random.below(random.oneIn(3) ? 256 : 6),
      );
      return pngOf(
        chunks.map((chunk) => (chunk.type === 'IDAT' ? { ...chunk, data: deflateSync(rows) } : chunk)),
      );
    }
    default:
      return pngOf(
        chunks.map((chunk, i) =>
          i === at ? { ...chunk, data: mutateBytes(chunk.data, PNGS, random) } : chunk,
        ),
      );
  }
}

export const png: Parser = {
  name: 'png',
  share: 16,
  make: pngInput,
  async read(input) {
    const found = await readOr(['input'], () => decodePng(input, origin));
    if (found === refused) return false;
    const { width, height, channels, data } = found;
    consistent(
      data.length === width * height * channels,
      () => `${width}x${height}x${channels} has ${data.length} values`,
    );
    const again = decodePng(encodePng(found), origin);
    consistent(Buffer.compare(again.data, data) === 0, 'the picture is another one when it is written again');
    return true;
  },
};
