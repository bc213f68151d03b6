// Runs that read data, of each kind and by each command: what fails is a call about a file of the data, and the run must not
// end as if the file were not there.

import { gzipSync } from 'node:zlib';
import { encodePng } from '../../../runtime/host/node/png.ts';
import { cifarFile, idxFile, npyFile, npzFile } from '../../fixtures/array-files.ts';
import { LEAST_GRAPH, SMALL_GRAPH } from '../../fixtures/small-graph.ts';
import type { FaultyRun } from './runs.ts';

/** Where the data lies in a run's folder. */
const READS = /\/data\//;

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 37) % 256);
const picture = (size: number, level: number) =>
  encodePng({ width: size, height: size, channels: 1, data: bytes(size * size).map((byte) => byte ^ level) });

const least = JSON.parse(LEAST_GRAPH) as object;
const small = JSON.parse(SMALL_GRAPH) as object;
/** CIFAR's pictures have one size, and three channels. */
const COLOURED = {
  ...least,
  ...{ image_size: 32, in_channels: 3, out_channels: 3 },
  blocks: {
    input: [{ layers: [{ type: 'conv', in_channels: 3, out_channels: 4, kernel: 1 }] }],
    middle: { layers: [{ type: 'conv', in_channels: 4, out_channels: 4, kernel: 1 }] },
    output: [{ layers: [{ type: 'conv', in_channels: 8, out_channels: 32, kernel: 1 }] }],
  },
};

export const DATA_FILES: Readonly<Record<string, string | Uint8Array>> = {
  'coloured.json': JSON.stringify(COLOURED),
  'larger.json': JSON.stringify({ ...small, image_size: 4, super_resolution: { low_res_size: 2 } }),
  // no two alike: where one is left out, what is written is another file
  ...Object.fromEntries([1, 2, 3].map((i) => [`data/pictures/a/${i}.png`, picture(4, i)])),
  ...Object.fromEntries([1, 2].map((i) => [`data/small/${i}.png`, picture(2, i)])),
  'data/small.npz': npzFile({ arr_0: { shape: [2, 2, 2, 1], data: bytes(8) } }),
  'data/idx/train-images-idx3-ubyte': idxFile(8, [3, 4, 4], (i) => i),
  'data/idx/train-labels-idx1-ubyte': idxFile(8, [3], (i) => i),
  'data/packed/train-images-idx3-ubyte.gz': new Uint8Array(gzipSync(idxFile(8, [3, 4, 4], (i) => i))),
  'data/cifar/data_batch_1.bin': cifarFile([[1]], (_, i) => i),
  'data/cifar/data_batch_2.bin': cifarFile([[2]], (_, i) => 3 * i),
  'data/cifar/batches.meta.txt': Array.from({ length: 10 }, (_, i) => `class ${i}\n`).join(''),
  'data/d.npz': npzFile({ arr_0: { shape: [3, 4, 4], data: bytes(48) } }),
  'data/d.npy': npyFile('|u1', [3, 4, 4], bytes(48)),
};

function reading(name: string, text: string, writes: string): FaultyRun {
  return { name, words: text.split(' '), before: [], writes: [writes], repeatable: true, reads: READS };
}

const evaluated = (name: string, place: string, graph = 'e.json'): FaultyRun =>
  reading(
    `evaluate ${name}`,
    `evaluate @${graph} --weights hash:1 --data @data/${place} --steps 2 --reference --quiet -o @bounds`,
    'bounds',
  );
const encoded = (name: string, place: string): FaultyRun =>
  reading(
    `encode ${name}`,
    `encode @e.json --weights hash:1 --images @data/${place} --steps 2 --refine 0 --reference --quiet -o @z.safetensors`,
    'z.safetensors',
  );
const enlarged = (name: string, place: string): FaultyRun =>
  reading(
    `sample from ${name}`,
    `sample @larger.json --weights hash:1 --seeds 0-1 --low-res @data/${place} --steps 2 --reference --quiet -o @out`,
    'out',
  );

export const DATA_RUNS: readonly FaultyRun[] = [
  evaluated('pictures', 'pictures'),
  evaluated('IDX', 'idx'),
  evaluated('packed IDX', 'packed/train-images-idx3-ubyte.gz'),
  evaluated('CIFAR', 'cifar', 'coloured.json'),
  evaluated('npz', 'd.npz'),
  evaluated('npy', 'd.npy'),
  encoded('a folder', 'pictures/a'),
  enlarged('small pictures', 'small'),
  enlarged('small arrays', 'small.npz'),
  {
    ...reading(
      'train with pictures to hold it against',
      'train @e.json --data @data/pictures --val-data @data/pictures --val-interval 1 --batch 1 --steps 2 --keep all ' +
        '--save-interval 1 --sample-interval 0 --log-interval 1 --reference --quiet -o @trained',
      'trained',
    ),
    grows: /^trained\/(manifest\.json|progress\.csv|loss\.svg)$/,
  },
];
