// The runs that faults are injected into: each in a folder of its own, with the files that it starts from.

import fs from 'node:fs';
import path from 'node:path';
import { encodePng } from '../../../runtime/host/node/png.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { LEAST_GRAPH, SMALL_GRAPH } from '../../fixtures/small-graph.ts';
import { dict, floats, tensor, torchArchive } from '../../fixtures/torch-archive.ts';
import { DATA_FILES, DATA_RUNS } from './data-runs.ts';

export interface FaultyRun {
  readonly name: string;
  /** The words behind `unetc`; a word that begins with `@` is a path in the folder. */
  readonly words: readonly string[];
  /** Words whose runs, in turn, leave what this run finds. */
  readonly before: readonly (readonly string[])[];
  /** Names that the run may make anew or take away. */
  readonly writes: readonly string[];
  /** Whether another run writes the same bytes. */
  readonly repeatable: boolean;
  /** Files that say how far a run is that has not ended, and have their last bytes at its end. */
  readonly grows?: RegExp;
  /** Paths of the files whose calls fail; of a run whose other calls another run has, too. Default: all. */
  readonly reads?: RegExp;
}

const words = (text: string): readonly string[] => text.split(' ');

const SAMPLE =
  'sample @g.json --weights hash:1 --seeds 0-1 --batch 1 --steps 3 --checkpoint-every 1 --quiet -o @out';
const SIZED = `${SAMPLE} --size 4x4`;
const ENCODE =
  'encode @g.json --weights hash:1 --images @p.png --steps 2 --refine 0 --quiet -o @z.safetensors';
const EVALUATE =
  'evaluate @g.json --weights hash:1 --data @d.safetensors --size 4x4 --steps 2 --reference --quiet -o @bounds';
const TRAIN =
  'train @e.json --data @d.safetensors --batch 1 --steps 2 --save-interval 1 --keep all --sample-interval 0 ' +
  '--log-interval 1 --quiet -o @trained';
const PICTURED = TRAIN.replace('--sample-interval 0', '--sample-interval 2');
const PICTURES = PICTURED.replace('@d.safetensors', '@pictures');
/** The graph whose calls are few enough to let each of them fail in each way. */
const least = (text: string): string => text.replace('@g.json', '@e.json').replace('@p.png', '@q.png');
/** What says how far a run of training is; the pictures of samples are drawn by a step, and another run may draw them first. */
const OF_TRAINING = /^trained\/(manifest\.json|progress\.csv|loss\.svg)$/;
const ON = (text: string): string => text.replace('--steps 2', '--steps 3');
const trains = (name: string, text: string, before: readonly string[] = []): FaultyRun => ({
  ...run(name, text, ['trained'], before),
  grows: OF_TRAINING,
});

function run(
  name: string,
  text: string,
  writes: readonly string[],
  before: readonly string[] = [],
): FaultyRun {
  return { name, words: words(text), before: before.map(words), writes, repeatable: true };
}

/** Without a GPU: every call of the file system. */
export const FILE_RUNS: readonly FaultyRun[] = [
  run('sample', `${SIZED} --reference`, ['out']),
  run('sample npz with its way', `${SIZED} --reference --format npz --trajectory strip`, ['out']),
  run('sample anew', `${SIZED} --reference --no-resume`, ['out'], [`${SIZED} --reference`]),
  run('sample again', `${SIZED} --reference`, ['out'], [`${SIZED} --reference`]),
  run('encode', `${ENCODE} --reference`, ['z.safetensors']),
  run('evaluate', EVALUATE, ['bounds']),
  run('evaluate again', EVALUATE, ['bounds'], [EVALUATE]),
  run('evaluate anew', `${EVALUATE} --no-resume`, ['bounds'], [EVALUATE]),
  trains('train', `${TRAIN} --reference`),
  trains('train again', ON(`${TRAIN} --reference`), [`${TRAIN} --reference`]),
  trains('train anew', `${TRAIN} --reference --no-resume`, [`${TRAIN} --reference`]),
  trains('train with pictures', `${PICTURES} --reference`),
  trains(
    'train from another run',
    ON(TRAIN.replace('@trained', '@trained --weights @a/model000002.safetensors')) +
      ' --optimizer @a/opt000002.safetensors --reference',
    [TRAIN.replace('@trained', '@a --reference')],
  ),
  trains('train replayed', TRAIN.replace('--data @d.safetensors', '--replay @r.safetensors --reference')),
  run('merge of an evaluation', 'merge @bounds -o @all', ['all'], [EVALUATE]),
  run('merge', 'merge @out -o @all.npz', ['all.npz'], [`${SIZED} --reference`]),
  run('merge of arrays', 'merge @out -o @all.npz', ['all.npz'], [`${SIZED} --reference --format npz`]),
  run('compile', 'compile @g.json -o @b --types', ['b']),
  run('compile over an old bundle', 'compile @g.json -o @b --batch 2', ['b'], ['compile @g.json -o @b']),
  run('convert', 'convert @w.pt -o @w.safetensors', ['w.safetensors']),
  run('convert to shards', 'convert @w.pt -o @w.safetensors --dtype f16 --shard-size 300', [
    'w-00001-of-00002.safetensors',
    'w-00002-of-00002.safetensors',
    'w.safetensors.index.json',
  ]),
  run('export', 'export @g.json --weights hash:1 -o @m.onnx', ['m.onnx']),
  run('export with weights beside', 'export @g.json --weights hash:1 --external-data -o @m.onnx', [
    'm.onnx',
    'm.onnx.data',
  ]),
  ...DATA_RUNS,
];

const ONE_SAMPLE = least(SAMPLE.replace('--seeds 0-1', '--seeds 0').replace('--steps 3', '--steps 2'));

/** On a GPU: every call of WebGPU. */
export const GPU_RUNS: readonly FaultyRun[] = [
  run('sample on the GPU', ONE_SAMPLE, ['out']),
  run('encode on the GPU', least(ENCODE), ['z.safetensors']),
  run('evaluate on the GPU', least(EVALUATE.replace(' --reference', '').replace(' --size 4x4', '')), [
    'bounds',
  ]),
  run('run', 'run @e.json --weights hash:1 --inputs @in.safetensors -o @o.safetensors', ['o.safetensors']),
  run('gradients', 'gradients @e.json --weights hash:1 --inputs @b.safetensors -o @o.safetensors', [
    'o.safetensors',
  ]),
  trains('train on the GPU', TRAIN),
  trains('train again on the GPU', ON(TRAIN), [TRAIN]),
  trains(
    'train in microbatches',
    PICTURED.replace('--batch 1', '--batch 3 --microbatch 2 --max-grad-norm 1'),
  ),
  { ...run('tune', 'tune @e.json --runs 1 -o @t.json', ['t.json']), repeatable: false },
];

/** What every run finds. */
export function prepare(folder: string): void {
  const pixels = { width: 8, height: 8, channels: 1, data: new Uint8Array(64).map((_, i) => i * 3) } as const;
  const values = (shape: readonly number[], value: number) => {
    const data = new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(value);
    return { shape, data };
  };
  const inputs = new Map([
    ['x', values([1, 1, 4, 4], 0.5)],
    ['timesteps', values([1], 3)],
  ]);
  const batch = (prefix: string) =>
    [
      [`${prefix}x_start`, values([1, 1, 4, 4], 0.5)],
      [`${prefix}noise`, values([1, 1, 4, 4], -0.25)],
      [`${prefix}timesteps`, values([1], 3)],
    ] as const;
  const view = tensor({ count: 4, shape: [2, 2], stride: [2, 1] });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    ...DATA_FILES,
    'g.json': SMALL_GRAPH,
    'e.json': LEAST_GRAPH,
    'p.png': encodePng(pixels),
    'q.png': encodePng({ ...pixels, width: 4, height: 4, data: pixels.data.slice(0, 16) }),
    'pictures/a/1.png': encodePng(pixels),
    // another one: where the first is left out, what is trained is another model
    'pictures/b/2.png': encodePng({ ...pixels, data: pixels.data.map((byte) => 255 - byte) }),
    'b.safetensors': writeTensors(new Map(batch(''))),
    'r.safetensors': writeTensors(new Map([...batch('0.'), ...batch('1.')])),
    'in.safetensors': writeTensors(inputs),
    'd.safetensors': writeTensors(new Map([['x_start', values([3, 1, 4, 4], 0.25)]])),
    'w.pt': torchArchive(dict({ a: view, b: view }), { 0: floats(1, 2, 3, 4) }),
  };
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}

/** The words of a run in a folder. */
export function wordsIn(folder: string, given: readonly string[]): readonly string[] {
  return given.map((word) => (word.startsWith('@') ? path.join(folder, word.slice(1)) : word));
}
