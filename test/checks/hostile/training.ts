// Training: what init, data and gradients are given beside graphs, weights and files of inputs that others take, too.

import { gzipSync } from 'node:zlib';
import { cifarFile, idxFile, npyFile, npzFile } from '../../fixtures/array-files.ts';
import { pngFile } from '../../fixtures/png-file.ts';
import { bad, type Content, type HostileCase } from './case.ts';
import { floatsOf, integersOf, MNIST, SMALL_BATCH, small, tensors, type Values } from './corpus.ts';

const graph = { 'g.json': () => small() };

const INIT: readonly HostileCase[] = [
  bad('init: another ending', 'init g.json -o w.pt', 2, 'w.pt', { files: graph }),
  bad('init: nowhere', 'init g.json', 2, '-o', { files: graph }),
  ...['-1', '1.5', 'x', '99999999999999999999'].map((seed) =>
    bad(`init: a seed of ${seed}`, `init g.json --seed ${seed} -o w.safetensors`, 2, '--seed', {
      files: graph,
    }),
  ),
  bad('init: a bad graph', 'init g.json -o w.safetensors', 3, 'num_res_blocks', {
    files: { 'g.json': () => small({}, { num_res_blocks: -1 }) },
  }),
];

const GRADIENTS = 'gradients g.json --weights hash:1 --inputs b.safetensors -o o.safetensors --reference';
const batch = (
  name: string,
  changes: Readonly<Record<string, Values | undefined>>,
  says: string,
  words = GRADIENTS,
) =>
  bad(`gradients: ${name}`, words, 5, ['b.safetensors', says], {
    files: {
      ...graph,
      'b.safetensors': () => {
        const named = Object.entries({ ...SMALL_BATCH, ...changes });
        return tensors(Object.fromEntries(named.flatMap(([key, value]) => (value ? [[key, value]] : []))));
      },
    },
  });

const BATCHES: readonly HostileCase[] = [
  batch('no x_start', { x_start: undefined }, 'x_start'),
  batch('no noise', { noise: undefined }, 'noise'),
  batch('no timesteps', { timesteps: undefined }, 'timesteps'),
  batch('a tensor that nobody takes', { z: floatsOf([1]) }, 'z'),
  batch('x_start of another size', { x_start: floatsOf([1, 1, 9, 8]) }, '[1, 1, 9, 8]'),
  batch('noise of another batch', { noise: floatsOf([2, 1, 8, 8]) }, 'noise'),
  batch('x_start that is not finite', { x_start: floatsOf([1, 1, 8, 8], Number.NaN) }, 'x_start'),
  batch('a timestep that no process has', { timesteps: floatsOf([1], 1e9) }, 'timesteps'),
  batch('a timestep between two', { timesteps: floatsOf([1], 0.5) }, 'timesteps'),
  batch('a timestep below 0', { timesteps: floatsOf([1], -1) }, 'timesteps'),
  batch('labels of a model without classes', { y: integersOf(0) }, 'y'),
  bad('gradients: no file', GRADIENTS, 5, 'b.safetensors', { files: graph }),
  bad(
    'gradients: a scale of the loss in float16',
    `${GRADIENTS} --precision f16 --lg-loss-scale 5`,
    2,
    '--lg-loss-scale',
    {
      files: { ...graph, 'b.safetensors': () => tensors(SMALL_BATCH) },
    },
  ),
  bad(
    'gradients: weights of another graph',
    GRADIENTS.replace('hash:1', 'w.safetensors'),
    4,
    'w.safetensors',
    {
      files: {
        ...graph,
        'b.safetensors': () => tensors(SMALL_BATCH),
        'w.safetensors': () => tensors({ a: floatsOf([1]) }),
      },
    },
  ),
  bad('gradients: no weights', GRADIENTS.replace('--weights hash:1 ', ''), 2, '--weights', { files: graph }),
];

const bytes = Uint8Array.from({ length: 128 }, (_, i) => i);

/** A file that `data` refuses for the small graph, or for another model. */
function data(
  name: string,
  file: string,
  content: () => Content,
  says: string | readonly string[] = [],
  words = `data ${file} --graph g.json`,
): HostileCase {
  return bad(`data: ${name}`, words, 5, [file, ...(typeof says === 'string' ? [says] : says)], {
    files: { ...graph, [file]: content },
  });
}

const idx = (shape: readonly number[]) => idxFile(8, shape, (i) => i);
const gray = (width: number, height: number) => pngFile({ width, height, type: 0, bits: 8 }, (x, y) => x * y);

const DATA: readonly HostileCase[] = [
  data('no file', 'd.npz', () => (at) => void at, ''),
  bad('data: a folder of nothing', 'data d --graph g.json', 5, 'd: ', {
    files: { ...graph, 'd/readme.txt': () => 'text' },
  }),
  data('an ending of nothing', 'd.txt', () => 'text'),
  data('an empty npz', 'd.npz', () => ''),
  data('an npz that is cut', 'd.npz', () =>
    npzFile({ arr_0: { shape: [2, 8, 8], data: bytes } }).subarray(0, -20),
  ),
  data('an npz of labels alone', 'd.npz', () =>
    npzFile({ arr_1: { shape: [1], data: BigInt64Array.of(1n) } }),
  ),
  data('an npz of another size', 'd.npz', () => npzFile({ arr_0: { shape: [2, 64], data: bytes } })),
  data('an npy of objects', 'd.npy', () => npyFile('|O', [2, 8, 8], bytes)),
  data('an npy that ends early', 'd.npy', () => npyFile('|u1', [4, 8, 8], bytes)),
  data('an npy of a shape beyond memory', 'd.npy', () => npyFile('|u1', [2 ** 40, 8, 8], bytes)),
  data('an npy of NaN', 'd.npy', () => npyFile('<f4', [1, 8, 8], new Float32Array(64).fill(Number.NaN))),
  data('an idx of one dimension', 'd-images-idx3-ubyte', () => idx([2])),
  data('an idx that ends early', 'd-images-idx3-ubyte', () => idx([2, 8, 8]).subarray(0, 60)),
  data('an idx that goes on', 'd-images-idx3-ubyte', () => new Uint8Array([...idx([2, 8, 8]), 1])),
  data('an idx with another magic', 'd-images-idx3-ubyte', () => idx([2, 8, 8]).fill(9, 0, 4)),
  data('a gzip that is cut', 'd-images-idx3-ubyte.gz', () =>
    new Uint8Array(gzipSync(idx([2, 8, 8]))).subarray(0, 40),
  ),
  data(
    'a gzip of 512 MB of zeros',
    'd-images-idx3-ubyte.gz',
    () => new Uint8Array(gzipSync(new Uint8Array(2 ** 29))),
  ),
  data(
    'a gzip that unpacks to 512 MB more than it says',
    'd-images-idx3-ubyte.gz',
    () => new Uint8Array(gzipSync(Buffer.concat([idx([2, 8, 8]), new Uint8Array(2 ** 29)]))),
    'more than the 144 bytes',
  ),
  data(
    'a gzip that says it has 4 TB',
    'd-images-idx3-ubyte.gz',
    () => new Uint8Array(gzipSync(idx([2, 8, 8]).fill(255, 4, 7))),
    'bytes, and 128 follow the header',
  ),
  data('half of a record of CIFAR', 'd.bin', () => cifarFile([[3]], (_, i) => i).subarray(0, 1000)),
  data('tensors without x_start', 'd.safetensors', () => tensors({ x: floatsOf([1, 1, 8, 8]) })),
  data('x_start of another size', 'd.safetensors', () => tensors({ x_start: floatsOf([1, 3, 8, 8]) })),
  data('values out of range', 'd.safetensors', () => tensors({ x_start: floatsOf([1, 1, 8, 8], 7) })),
  data('no image', 'd.safetensors', () => tensors({ x_start: floatsOf([0, 1, 8, 8]) })),
  data(
    'labels that are missing',
    'd.safetensors',
    () => tensors({ x_start: floatsOf([1, 1, 28, 28]) }),
    '',
    `data d.safetensors --graph ${MNIST}`,
  ),
  data(
    'a label beyond the classes',
    'd.safetensors',
    () => tensors({ x_start: floatsOf([1, 1, 28, 28]), y: integersOf(99) }),
    '99',
    `data d.safetensors --graph ${MNIST}`,
  ),
  data('pictures that are none', 'd/a.png', () => 'no picture', 'none of its 1', 'data d --graph g.json'),
  data(
    'half of a picture',
    'd/a.png',
    () => gray(8, 8).subarray(0, 40),
    'none of its 1',
    'data d --graph g.json',
  ),
  bad('data: a header of 65,535 by 65,535', 'data d --graph g.json', 5, 'none of its 1', {
    files: {
      ...graph,
      'd/a.png': () => gray(8, 8).map((byte, i) => ([18, 19, 22, 23].includes(i) ? 255 : byte)),
    },
    megabytes: 200,
  }),
];

const WORDS: readonly HostileCase[] = [
  ['data d', '--graph'],
  ['data --graph g.json', 'data'],
  ['data d --graph g.json --labels colours', '--labels'],
  ['data d --graph g.json --crop left', '--crop'],
  ['data d --graph g.json --background pinkish', '--background'],
  ['data d --graph g.json --workers 1000', '--workers'],
  ['data d --graph g.json --limit -1', '--limit'],
  ['data d --graph g.json --size 8x8x8x8', '--size'],
].map(([words = '', says = '']) =>
  bad(`words: ${words}`, words, 2, says, { files: { ...graph, 'd/a.png': () => gray(8, 8) } }),
);

export const TRAINING_CASES: readonly HostileCase[] = [...INIT, ...BATCHES, ...DATA, ...WORDS];
