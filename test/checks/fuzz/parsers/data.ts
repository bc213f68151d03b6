// Training data: IDX, CIFAR's records, `.npz` and `.safetensors` as data, the heads of pictures, progress.csv.

import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Wanted } from '../../../../engine/data/batch.ts';
import { openData } from '../../../../engine/data/open-data.ts';
import { readPictureHeader } from '../../../../engine/data/picture-header.ts';
import { render } from '../../../../engine/data/render.ts';
import type { Origin } from '../../../../runtime/bytes.ts';
import { formatTable, parseTable } from '../../../../runtime/training/progress-table.ts';
import { writeTensors } from '../../../../runtime/weights/safetensors-write.ts';
import { cifarFile, idxFile, npyFile, npzFile } from '../../../fixtures/array-files.ts';
import { pngFile } from '../../../fixtures/png-file.ts';
import { joined, mutateBytes } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import { bytesOf, consistent, type Parser, readOr, refused, textOf } from '../parser.ts';

const wanted: Wanted = { channels: 1, space: [4, 4], classes: null, low_res: null, range: 1 };
const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const floats = new Float32Array(32).map((_, i) => i / 32 - 0.5);

/** Opens a file as data and reads its first batch, whose values must be finite and within the range. */
function dataParser(
  name: string,
  file: string,
  seeds: readonly Uint8Array[],
  model: Wanted = wanted,
): Parser {
  return {
    name,
    share: 4,
    make: (random) => mutateBytes(random.pick(seeds), seeds, random),
    async read(input, at) {
      writeFileSync(at(file), input);
      const opened = await readOr(['input'], async () => {
        const data = await openData(at(file), model, { workers: 0 });
        try {
          return (await data.rows({ batch: Math.min(data.count, 4) }).next()).value!;
        } finally {
          await data.close();
        }
      });
      if (opened === refused) return false;
      const outside = opened.x_start.data.find((value) => !(Math.abs(value) <= 1.01));
      consistent(outside === undefined, () => `a value of ${outside} was taken`);
      return true;
    },
  };
}

export const idx = dataParser('idx', 'a-images-idx3-ubyte', [
  idxFile(8, [2, 4, 4], (i) => i),
  idxFile(13, [2, 4, 4], (i) => i / 32),
  new Uint8Array(gzipSync(idxFile(8, [2, 4, 4], (i) => i))),
]);

export const cifar = dataParser(
  'cifar',
  'a.bin',
  [cifarFile([[3], [1]], (record, i) => record + i), cifarFile([[3, 99]], (_, i) => i)],
  { ...wanted, channels: 3, space: [32, 32] },
);

export const npzData = dataParser('npz-data', 'a.npz', [
  npzFile({
    arr_0: { shape: [2, 4, 4], data: bytes },
    arr_1: { shape: [2], data: BigInt64Array.of(1n, 2n) },
  }),
  npzFile({ images: { shape: [2, 4, 4, 1], data: bytes } }),
]);

export const npyData = dataParser('npy-data', 'a.npy', [
  npyFile('|u1', [2, 4, 4], bytes),
  npyFile('<f4', [2, 4, 4], floats),
  npyFile('>u2', [1, 4, 4], bytes),
]);

export const tensorData = dataParser('tensor-data', 'a.safetensors', [
  writeTensors(new Map([['x_start', { shape: [2, 1, 4, 4], data: floats }]])),
]);

const origin: Origin = { kind: 'input', label: 'input' };
const PICTURES = [
  pngFile({ width: 5, height: 4, type: 6, bits: 8 }, (x, y, c) => x * 40 + y + c),
  pngFile(
    { width: 5, height: 4, type: 3, bits: 2, palette: [1, 2, 3, 40, 50, 60], transparent: [0] },
    (x) => x % 2,
  ),
  Uint8Array.of(
    0xff,
    0xd8,
    0xff,
    0xe0,
    0,
    4,
    1,
    2,
    0xff,
    0xc0,
    0,
    11,
    8,
    0,
    4,
    0,
    5,
    1,
    1,
    0x11,
    0,
    0xff,
    0xd9,
  ),
  joined(bytesOf('GIF89a'), Uint8Array.of(5, 0, 4, 0, 0, 0, 0, 59)),
];

/** The head alone, and the whole file by the decoder: what the decoder takes, the head has told the size of. */
export const picture: Parser = {
  name: 'picture',
  share: 4,
  make: (random) => mutateBytes(random.pick(PICTURES), PICTURES, random),
  async read(input, at) {
    const header = await readOr(['input'], () => readPictureHeader(input, origin));
    if (header === refused) return false;
    // a decoder takes its time for large ones
    if (header.width * header.height > 1e6) return true;
    writeFileSync(at('a.png'), input);
    const view = { channels: 3, height: 4, width: 4, crop: { kind: 'centre' }, mirrored: false } as const;
    const rendered = await render({
      source: { kind: 'file', file: at('a.png') },
      view,
      background: [1, 2, 3],
    });
    if (rendered.kind === 'bad') return false;
    if (rendered.kind === 'refused') throw new Error(rendered.message);
    consistent(rendered.planes.length === 48, () => `${rendered.planes.length} values of 48`);
    return true;
  },
};

const TABLES = ['loss,step\n1,0\n0.5,10\n', 'a,b,c\n,,\nnan,inf,-inf\n', ''].map(bytesOf);

export const progressTable: Parser = {
  name: 'progress-table',
  share: 2,
  make: (random) => bytesOf(mutateText(textOf(random.pick(TABLES)), TABLES.map(textOf), random)),
  read(input) {
    const table = parseTable(textOf(input));
    if (typeof table === 'string') return false;
    const again = parseTable(formatTable(table));
    consistent(
      typeof again !== 'string' && again.rows.length === table.rows.length,
      'rows are lost when it is written',
    );
    return true;
  },
};
