// Inputs of a run, noise, images and low-resolution images: what is missing, of the wrong kind, or damaged.

import { deflateSync } from 'node:zlib';
import { int64Array, npzChunks } from '../../../engine/jobs/npy.ts';
import { encodePng } from '../../../runtime/host/node/png.ts';
import { crc32 } from '../../../runtime/weights/crc32.ts';
import { bad, type Content, type HostileCase } from './case.ts';
import {
  floatsOf,
  integersOf,
  MNIST,
  MNIST_SR,
  SMALL_INPUTS,
  small,
  tensors,
  type Values,
} from './corpus.ts';

const RUN = 'run g.json --weights hash:1 --inputs in.safetensors -o o.safetensors --reference';

function run(
  name: string,
  named: Readonly<Record<string, Values>>,
  says: string,
  graph = small(),
): HostileCase {
  const files = { 'g.json': () => graph, 'in.safetensors': () => tensors(named) };
  return bad(`inputs: ${name}`, RUN, 5, ['in.safetensors', says], { files });
}

const { x, timesteps } = SMALL_INPUTS;
const classes = small({}, { num_classes: 3 });
const nan: Values = { ...x, data: new Float32Array(64).fill(Number.NaN) };

const RUNS: readonly HostileCase[] = [
  run('no x', { timesteps }, 'x is missing'),
  run('no timesteps', { x }, 'timesteps is missing'),
  run('no tensors at all', {}, 'x is missing'),
  run('x of two channels', { x: floatsOf([1, 2, 8, 8]), timesteps }, '[1, 2, 8, 8]'),
  run('x without a batch', { x: floatsOf([1, 8, 8]), timesteps }, '[1, 8, 8]'),
  run('x of no samples', { x: floatsOf([0, 1, 8, 8]), timesteps }, 'x'),
  run('x of integers', { x: integersOf(1, 2), timesteps }, 'x'),
  run('x that is not finite', { x: nan, timesteps }, 'x is NaN'),
  run(
    'timesteps that are not finite',
    { x, timesteps: floatsOf([1], Number.POSITIVE_INFINITY) },
    'timesteps[0]',
  ),
  run('two timesteps for one sample', { x, timesteps: floatsOf([2], 1) }, 'timesteps'),
  run('timesteps as an image', { x, timesteps: x }, 'timesteps'),
  run('no labels', { x, timesteps }, 'y is missing', classes),
  run('a label beyond the classes', { x, timesteps, y: integersOf(3) }, 'y[0] is 3', classes),
  run('a label below 0', { x, timesteps, y: integersOf(-1) }, 'y[0] is -1', classes),
  run('a label of half a class', { x, timesteps, y: floatsOf([1], 0.5) }, 'y', classes),
  run('labels that the model does not take', { x, timesteps, y: integersOf(0) }, '"y"'),
  run('a name that is nearly right', { x, timestep: timesteps }, 'timesteps'),
  run('a low-resolution image that the model does not take', { x, timesteps, low_res: x }, '"low_res"'),
  bad('inputs: no file', RUN, 5, 'in.safetensors', { files: { 'g.json': () => small() } }),
  bad('inputs: a picture', RUN, 5, 'in.safetensors', {
    files: { 'g.json': () => small(), 'in.safetensors': () => picture(8, 8) },
  }),
  bad('inputs: an empty file', RUN, 5, 'in.safetensors', {
    files: { 'g.json': () => small(), 'in.safetensors': () => '' },
  }),
  bad('inputs: a size of x beyond the graph', RUN, 5, 'in.safetensors', {
    files: {
      'g.json': () => small({ image_size: 8 }, { channel_mult: [1, 1] }),
      'in.safetensors': () => tensors({ x: floatsOf([1, 1, 7, 7]), timesteps }),
    },
  }),
];

function picture(width: number, height: number, channels: 1 | 3 = 1): Uint8Array {
  return encodePng({ width, height, channels, data: new Uint8Array(width * height * channels).fill(7) });
}

/** A PNG of chunks with checksums that are right. */
function png(...chunks: readonly (readonly [type: string, data: Uint8Array])[]): Uint8Array {
  const parts = chunks.map(([type, data]) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body) >>> 0);
    return Buffer.concat([length, body, sum]);
  });
  return new Uint8Array(Buffer.concat([picture(1, 1).subarray(0, 8), ...parts]));
}

function header(
  width: number,
  height: number,
  depth = 8,
  type = 0,
  interlaced = 0,
): readonly [string, Uint8Array] {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, type, 0, 0, interlaced], 8);
  return ['IHDR', data];
}

const END = ['IEND', new Uint8Array()] as const;
const rows = (length: number) => ['IDAT', new Uint8Array(deflateSync(new Uint8Array(length)))] as const;

const PICTURES: readonly (readonly [name: string, content: () => Content, says?: string])[] = [
  ['no PNG', () => 'GIF89a'],
  ['an empty one', () => ''],
  ['a signature alone', () => png()],
  ['no data', () => png(header(7, 7), END)],
  ['2 of 56 bytes of data', () => png(header(7, 7), rows(2), END)],
  ['a header of 5 by 8,388,612', () => png(header(5, 8_388_612), rows(56), END)],
  ['a header of 65,536 by 65,536', () => png(header(65_536, 65_536), rows(56), END)],
  ['data that is not packed', () => png(header(7, 7), ['IDAT', new Uint8Array(56)], END)],
  ['no header', () => png(rows(56), END)],
  ['a header of no width', () => png(header(0, 7), rows(56), END)],
  ['a header of no width and 2^31 rows', () => png(header(0, 2 ** 31), rows(56), END)],
  ['a depth that is none', () => png(header(7, 7, 3), rows(56), END)],
  ['a colour type that is none', () => png(header(7, 7, 8, 5), rows(56), END)],
  ['an interlace that is none', () => png(header(7, 7, 8, 0, 9), rows(56), END)],
  [
    'a filter that is none',
    () => png(header(7, 7), ['IDAT', new Uint8Array(deflateSync(new Uint8Array(56).fill(9)))], END),
  ],
  ['a palette that is missing', () => png(header(7, 7, 8, 3), rows(56), END)],
  ['another size than the model takes', () => picture(6, 7), '7'],
  ['a coloured one for a grey model', () => coloured(), 'grey'],
  ['a checksum that is wrong', () => picture(7, 7).map((byte, i) => (i === 30 ? byte ^ 1 : byte))],
  ['half of one', () => picture(7, 7).subarray(0, 50)],
];

function coloured(): Uint8Array {
  return encodePng({ width: 7, height: 7, channels: 3, data: Uint8Array.from({ length: 147 }, (_, i) => i) });
}

const SR = `sample ${MNIST_SR} --weights hash:1 --class 1 --steps 4 --low-res p.png -o out --reference`;

const IMAGES: readonly HostileCase[] = [
  ...PICTURES.map(([name, content, says = 'p.png']) =>
    bad(`low-res: ${name}`, SR, 5, ['p.png', says], { files: { 'p.png': content } }),
  ),
  bad('low-res: no file', SR, 5, 'p.png'),
  bad('low-res: missing where the model needs it', SR.replace('--low-res p.png', '--seeds 0'), 5, 'low_res'),
  bad(
    'low-res: a model that takes none',
    'sample g.json --weights hash:1 --low-res p.png -o out --reference',
    5,
    'p.png',
    {
      files: { 'g.json': () => small(), 'p.png': () => picture(8, 8) },
    },
  ),
  bad('low-res: a folder without pictures', SR.replace('p.png', 'p'), 5, 'p: ', {
    files: { 'p/a.txt': () => 'a' },
  }),
  bad('low-res: a kind of file that it cannot be', SR.replace('p.png', 'p.jpg'), 5, 'p.jpg', {
    files: { 'p.jpg': () => 'a' },
  }),
  bad('low-res: images that do not go round', `${SR.replace('p.png', 'p')} --seeds 0-2`, 5, 'p: 2 images', {
    files: { 'p/1.png': () => picture(7, 7), 'p/2.png': () => picture(7, 7) },
  }),
  bad('low-res: a tensor of another name', SR.replace('p.png', 'l.safetensors'), 5, 'low_res', {
    files: { 'l.safetensors': () => tensors({ x: floatsOf([1, 1, 7, 7]) }) },
  }),
  bad('low-res: a tensor of no images', SR.replace('p.png', 'l.safetensors'), 5, 'l.safetensors', {
    files: { 'l.safetensors': () => tensors({ low_res: floatsOf([0, 1, 7, 7]) }) },
  }),
];

const ENCODE = 'encode g.json --weights hash:1 --images p.png --steps 4 -o o.safetensors --reference';

const ENCODED: readonly HostileCase[] = [
  bad('encode: no file', ENCODE, 5, 'p.png', { files: { 'g.json': () => small() } }),
  bad('encode: another size', ENCODE, 5, 'p.png', {
    files: { 'g.json': () => small(), 'p.png': () => picture(9, 8) },
  }),
  bad('encode: a damaged picture', ENCODE, 5, 'p.png', {
    files: { 'g.json': () => small(), 'p.png': () => picture(8, 8).subarray(0, 40) },
  }),
  bad(
    'encode: no labels',
    `encode ${MNIST} --weights hash:1 --images p.png -o o.safetensors --reference`,
    5,
    'label',
    {
      files: { 'p.png': () => picture(28, 28) },
    },
  ),
  bad('encode: a tensor of another name', ENCODE.replace('p.png', 's.safetensors'), 5, 'samples', {
    files: { 'g.json': () => small(), 's.safetensors': () => tensors({ x }) },
  }),
  bad('encode: a folder without pictures', ENCODE.replace('p.png', 'p'), 5, 'p: ', {
    files: { 'g.json': () => small(), 'p/a.txt': () => '' },
  }),
];

const NOISE = 'sample g.json --weights hash:1 --noise n.safetensors --steps 4 -o out --reference';
const noise = (name: string, named: Readonly<Record<string, Values>>, says: string, graph = small()) =>
  bad(`noise: ${name}`, NOISE, 5, ['n.safetensors', says], {
    files: { 'g.json': () => graph, 'n.safetensors': () => tensors(named) },
  });

const NOISES: readonly HostileCase[] = [
  noise('another name', { z: x }, 'noise'),
  noise('no samples', { noise: floatsOf([0, 1, 8, 8]) }, 'noise'),
  noise('another size', { noise: floatsOf([1, 1, 9, 8]) }, '[1, 9, 8]'),
  noise('labels of another count', { noise: x, y: integersOf(0, 1) }, 'y is [2]', classes),
  noise('labels of two dimensions', { noise: x, y: floatsOf([1, 1]) }, 'y is [1, 1]', classes),
  bad('noise: a label beyond the classes', NOISE, 5, '7', {
    files: { 'g.json': () => classes, 'n.safetensors': () => tensors({ noise: x, y: integersOf(7) }) },
  }),
  bad('noise: not finite', NOISE, 5, 'noise holds NaN', {
    files: { 'g.json': () => small(), 'n.safetensors': () => tensors({ noise: nan }) },
  }),
  bad('noise: no file', NOISE, 5, 'n.safetensors', { files: { 'g.json': () => small() } }),
];

/** Arrays as images, as `merge` and `--format npz` write them. */
const npz = (...chunks: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(chunks));
const array = { dtype: '|u1', shape: [1, 7, 7, 1], values: () => [new Uint8Array(49)] } as const;
const ARRAYS: readonly HostileCase[] = [
  bad('npz: cut short', SR.replace('p.png', 'p.npz'), 5, 'p.npz', {
    files: { 'p.npz': () => npz(...npzChunks(new Map([['arr_0', array]]))).subarray(0, -40) },
  }),
  bad('npz: labels alone', SR.replace('p.png', 'p.npz'), 5, 'p.npz', {
    files: { 'p.npz': () => npz(...npzChunks(new Map([['arr_1', int64Array([1])]]))) },
  }),
];

export const INPUT_CASES: readonly HostileCase[] = [...RUNS, ...IMAGES, ...ENCODED, ...NOISES, ...ARRAYS];
