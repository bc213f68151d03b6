// The runs that faults are injected into: each in a folder of its own, with the files that it starts from.

import fs from 'node:fs';
import path from 'node:path';
import { encodePng } from '../../../runtime/host/node/png.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { SMALL_GRAPH } from '../../fixtures/small-graph.ts';
import { dict, floats, tensor, torchArchive } from '../../fixtures/torch-archive.ts';

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
  'train @g.json --data @d.safetensors --size 4x4 --batch 1 --steps 2 --save-interval 1 --keep all --sample-interval 0 ' +
  '--log-interval 1 --reference --quiet -o @trained';
const OF_TRAINING = /^trained\/(manifest\.json|progress\.csv|loss\.svg)$/;

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
  { ...run('train', TRAIN, ['trained']), grows: OF_TRAINING },
  {
    ...run('train again', TRAIN.replace('--steps 2', '--steps 3'), ['trained'], [TRAIN]),
    grows: OF_TRAINING,
  },
  { ...run('train anew', `${TRAIN} --no-resume`, ['trained'], [TRAIN]), grows: OF_TRAINING },
  run('merge of an evaluation', 'merge @bounds -o @all', ['all'], [EVALUATE]),
  run('merge', 'merge @out -o @all.npz', ['all.npz'], [`${SIZED} --reference`]),
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
];

/** On a GPU: every call of WebGPU. */
export const GPU_RUNS: readonly FaultyRun[] = [
  run('sample on the GPU', SAMPLE.replace('--seeds 0-1', '--seeds 0').replace('--steps 3', '--steps 2'), [
    'out',
  ]),
  run('encode on the GPU', ENCODE, ['z.safetensors']),
  run('evaluate on the GPU', EVALUATE.replace(' --reference', ''), ['bounds']),
  run('run', 'run @g.json --weights hash:1 --inputs @in.safetensors -o @o.safetensors', ['o.safetensors']),
  { ...run('tune', 'tune @g.json --runs 1 -o @t.json', ['t.json']), repeatable: false },
];

/** What every run finds. */
export function prepare(folder: string): void {
  const pixels = { width: 8, height: 8, channels: 1, data: new Uint8Array(64).map((_, i) => i * 3) } as const;
  const values = (shape: readonly number[], value: number) => {
    const data = new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(value);
    return { shape, data };
  };
  const inputs = new Map([
    ['x', values([1, 1, 8, 8], 0.5)],
    ['timesteps', values([1], 3)],
  ]);
  const view = tensor({ count: 4, shape: [2, 2], stride: [2, 1] });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'g.json': SMALL_GRAPH,
    'p.png': encodePng(pixels),
    'in.safetensors': writeTensors(inputs),
    'd.safetensors': writeTensors(new Map([['x_start', values([3, 1, 4, 4], 0.25)]])),
    'w.pt': torchArchive(dict({ a: view, b: view }), { 0: floats(1, 2, 3, 4) }),
  };
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
}

/** The words of a run in a folder. */
export function wordsIn(folder: string, given: readonly string[]): readonly string[] {
  return given.map((word) => (word.startsWith('@') ? path.join(folder, word.slice(1)) : word));
}
