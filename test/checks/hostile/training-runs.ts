// Runs of training: data, steps to replay, optimizers, manifests, logs and checkpoints that are not as `train` takes or left
// them.

import fs from 'node:fs';
import { GRAPH_KEY } from '../../../engine/graph/carried-graph.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { idxFile, npzFile } from '../../fixtures/array-files.ts';
import { pngFile } from '../../fixtures/png-file.ts';
import { dict, tensor, torchArchive } from '../../fixtures/torch-archive.ts';
import { bad, type Content, type HostileCase } from './case.ts';
import { floatsOf, small, tensors } from './corpus.ts';

const HASH = 'a'.repeat(64);
const files = {
  'g.json': () => small(),
  'd.safetensors': () => tensors({ x_start: floatsOf([2, 1, 8, 8]) }),
};
const TRAIN = 'train g.json --data d.safetensors --steps 2 --batch 1 --sample-interval 0 --reference -o out';

const MANIFEST = { format: 'unetc-training', version: 1, recipe: {}, checkpoints: [] };
const manifest = (changes: object) => () => JSON.stringify({ ...MANIFEST, ...changes });
const checkpoint = (changes: object) => ({ step: 1, interim: false, files: [], ...changes });

function refused(name: string, content: () => Content, says: string): HostileCase {
  return bad(`training's manifest: ${name}`, TRAIN, 9, ['out/manifest.json', says], {
    files: { ...files, 'out/manifest.json': content },
  });
}

const FOLDERS: readonly HostileCase[] = [
  refused('no JSON', () => 'manifest', ''),
  refused('of samples', () => '{"format":"unetc-samples"}', 'no manifest of a run of training'),
  refused('version 2', manifest({ version: 2 }), 'version'),
  refused('checkpoints that are no list', manifest({ checkpoints: {} }), 'checkpoints'),
  refused('a step of -1', manifest({ checkpoints: [checkpoint({ step: -1 })] }), 'step'),
  refused(
    'a path out of the folder',
    manifest({ checkpoints: [checkpoint({ files: [{ file: '../x', sha256: HASH }] })] }),
    'file',
  ),
  bad('training: another run', TRAIN, 9, ['out', 'seed: there none, here 0'], {
    files: { ...files, 'out/manifest.json': manifest({}) },
  }),
  bad('training: a checkpoint of nobody', TRAIN, 9, 'model000001.safetensors', {
    files: { ...files, 'out/model000001.safetensors': () => 'mine' },
  }),
  bad('training: a log that lies elsewhere', TRAIN, 9, ['progress.csv', 'link'], {
    files: {
      ...files,
      'mine.csv': () => 'mine',
      'out/progress.csv': () => (at: string) => fs.symlinkSync('../mine.csv', at),
    },
  }),
  bad('training: out is a file', TRAIN, 9, 'out', { files: { ...files, out: () => 'mine' } }),
  bad('training: out is below /proc', TRAIN.replace('-o out', '-o /proc/out'), 9, '/proc', { files }),
];

const REPLAY = 'train g.json --replay r.safetensors --sample-interval 0 --reference -o out';
const step = (changes: Parameters<typeof tensors>[0] = {}) => ({
  ...files,
  'r.safetensors': () =>
    tensors({
      '0.x_start': floatsOf([1, 1, 8, 8]),
      '0.noise': floatsOf([1, 1, 8, 8]),
      '0.timesteps': floatsOf([1], 3),
      ...changes,
    }),
});

const OPTIMIZER = `${TRAIN} --weights hash:1 --optimizer opt000001.pt`;
const state = (value: string) => ({ ...files, 'opt000001.pt': () => torchArchive(value) });

const INPUTS: readonly HostileCase[] = [
  bad('training: data out of range', TRAIN, 5, ['d.safetensors', 'values in [-1, 1]'], {
    files: { ...files, 'd.safetensors': () => tensors({ x_start: floatsOf([1, 1, 8, 8], 3) }) },
  }),
  bad('training: data that is missing', TRAIN.replace('d.safetensors', 'none'), 5, 'none', { files }),
  bad('replay: no step 0', REPLAY, 5, '0.x_start', {
    files: { ...files, 'r.safetensors': () => tensors({ x: floatsOf([1]) }) },
  }),
  bad('replay: noise of another size', REPLAY, 5, ['0.noise', '[1, 1, 8, 9]'], {
    files: step({ '0.noise': floatsOf([1, 1, 8, 9]) }),
  }),
  bad('replay: a timestep beyond the process', REPLAY, 5, ['r.safetensors', '100000'], {
    files: step({ '0.timesteps': floatsOf([1], 100_000) }),
  }),
  bad('replay: more steps than there are', `${REPLAY} --steps 2`, 2, '--steps', { files: step() }),
  bad('replay beside data', `${REPLAY} --data d.safetensors`, 2, '--replay', { files: step() }),
  bad('optimizer: no archive', OPTIMIZER, 4, ['opt000001.pt', 'torch.save'], {
    files: { ...files, 'opt000001.pt': () => 'optimizer' },
  }),
  bad('optimizer: weights', OPTIMIZER, 4, 'no state of an optimizer', { files: state(dict({})) }),
  bad('optimizer: storages that are missing', OPTIMIZER, 4, ['opt000001.pt', 'not in the archive'], {
    files: state(
      dict({
        state: `}(K\x00${dict({ exp_avg: tensor({ count: 4, shape: [4], stride: [1] }) })}u`,
        param_groups: ']',
      }),
    ),
  }),
];

const carrying = (graph: string) => ({
  'm.safetensors': () => writeTensors(new Map([['a', floatsOf([1])]]), { [GRAPH_KEY]: graph }),
});

const CARRIED: readonly HostileCase[] = [
  bad('a checkpoint as a graph: none in it', 'validate d.safetensors', 3, 'carries no graph', { files }),
  bad('a checkpoint as a graph: no safetensors', 'validate m.safetensors', 3, 'm.safetensors', {
    files: { 'm.safetensors': () => 'm' },
  }),
  bad('a checkpoint as a graph: a graph that is none', 'validate m.safetensors', 3, 'm.safetensors', {
    files: carrying('{'),
  }),
  bad(
    'a checkpoint as a graph: weights of another',
    'sample m.safetensors --seeds 0 -o out',
    4,
    'm.safetensors',
    {
      files: carrying(small()),
    },
  ),
  bad('a pipe as a checkpoint and a graph', 'validate /dev/null.safetensors', 3, 'there is no such file'),
];

/** Folders and files that `data` refuses are refused by a run, which then writes nothing. */
const PICTURE = { width: 4, height: 4, type: 0, bits: 8 } as const;
const DATA: readonly HostileCase[] = (
  [
    ['pictures of which none can be read', 'pics', ['pics/a.png', 'empty'], { 'pics/a.png': () => '' }],
    [
      'a picture that is cut short',
      'pics',
      ['pics/a.png', 'none of its 1 pictures'],
      {
        'pics/a.png': () => pngFile(PICTURE, (x, y) => x * y).subarray(0, 40),
      },
    ],
    ['no picture', 'pics', ['pics', 'no PNG, JPEG or GIF'], { 'pics/a.txt': () => '' }],
    [
      'links that lead around and away',
      'pics',
      ['pics', 'no PNG, JPEG or GIF'],
      {
        'pics/a.png': () => (at: string) => fs.symlinkSync('/dev/zero', at),
        'pics/b': () => (at: string) => fs.symlinkSync('.', at),
      },
    ],
    [
      'an IDX file that is cut short',
      'd-idx3-ubyte',
      ['d-idx3-ubyte', '[9, 8, 8]'],
      {
        'd-idx3-ubyte': () => idxFile(8, [9, 8, 8], (i) => i).subarray(0, 100),
      },
    ],
    [
      'an npz that is cut short',
      'd.npz',
      ['d.npz', 'cut short'],
      {
        'd.npz': () => npzFile({ arr_0: { shape: [1, 8, 8], data: new Uint8Array(64) } }).subarray(0, -20),
      },
    ],
    [
      'values that are not finite',
      'n.safetensors',
      ['n.safetensors', 'NaN'],
      {
        'n.safetensors': () => tensors({ x_start: floatsOf([1, 1, 8, 8], Number.NaN) }),
      },
    ],
    ['a device', '/dev/zero', ['/dev/zero', 'device'], {}],
  ] as const
).map(([name, place, says, more]) =>
  bad(`train: ${name}`, TRAIN.replace('d.safetensors', place), 5, says, { files: { ...files, ...more } }),
);

const WORDS: readonly HostileCase[] = [
  bad('train: a batch beyond all', `${TRAIN} --batch 1000000`, 2, '--batch', { files }),
  bad('train: microbatches larger than the batch', `${TRAIN} --microbatch 2`, 2, '--microbatch', { files }),
  bad('train: a rate that is infinite', `${TRAIN} --lr 1e400`, 2, '--lr', { files }),
  bad('train: a rate twice', `${TRAIN} --ema-rate 0.9,0.90`, 2, '--ema-rate', { files }),
  bad(
    'train: an end behind the last rate',
    `${TRAIN} --lr-anneal-steps 1`,
    2,
    ['--steps', '--lr-anneal-steps'],
    {
      files,
    },
  ),
  bad('train: more threads than any machine', `${TRAIN} --workers 100000`, 2, '--workers', { files }),
  bad('train: a rate of 1', `${TRAIN} --ema-rate 1`, 2, '--ema-rate', { files }),
  bad('train: a norm of 0', `${TRAIN} --max-grad-norm 0`, 2, '--max-grad-norm', { files }),
  bad('train: a norm that is none', `${TRAIN} --max-grad-norm one`, 2, '--max-grad-norm', { files }),
  bad('train: a cosine without an end', `${TRAIN} --lr-schedule cosine`, 2, '--lr-anneal-steps', { files }),
  bad('train: a warm-up that is none', `${TRAIN} --lr-warmup -1`, 2, '--lr-warmup', { files }),
  bad(
    'train: a scale of the loss below 1',
    `${TRAIN} --precision f16 --lg-loss-scale -1`,
    2,
    '--lg-loss-scale',
    {
      files,
    },
  ),
  bad('train: a scale of the loss in float32', `${TRAIN} --fp16-scale-growth 0.1`, 2, '--precision f16', {
    files,
  }),
  bad('train: a pattern of nothing', `${TRAIN} --freeze time_embd`, 2, ['--freeze', 'time_embed'], { files }),
  bad('train: everything is frozen', `${TRAIN} --freeze *`, 2, '--freeze', { files }),
  bad('train: no pattern', `${TRAIN} --freeze time_embed,`, 2, '--freeze', { files }),
  bad('train: a learning rate of 0', `${TRAIN} --lr 0`, 2, '--lr', { files }),
  bad('train: a batch of 0', TRAIN.replace('--batch 1', '--batch 0'), 2, '--batch', { files }),
  bad('train: to keep nothing', `${TRAIN} --keep 0`, 2, '--keep', { files }),
];

export const TRAINING_RUN_CASES: readonly HostileCase[] = [
  ...FOLDERS,
  ...INPUTS,
  ...DATA,
  ...CARRIED,
  ...WORDS,
];
