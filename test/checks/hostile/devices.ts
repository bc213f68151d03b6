// What is no regular file, wherever a file is read, and what cannot be written, wherever one is: told at once.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { pngFile } from '../../fixtures/png-file.ts';
import { bad, type Content, type HostileCase } from './case.ts';
import { floatsOf, MNIST_SR, SMALL_BATCH, SMALL_INPUTS, small, tensors } from './corpus.ts';

interface Reader {
  readonly as: string;
  /** The words around the path FILE. */
  readonly words: string;
  readonly exit: number;
}

const READERS: readonly Reader[] = [
  { as: 'graph', words: 'validate FILE', exit: 3 },
  { as: 'graph of stats', words: 'stats FILE', exit: 3 },
  { as: 'side of a diff', words: 'diff g.json FILE', exit: 3 },
  { as: 'checkpoint', words: 'convert FILE o.safetensors', exit: 4 },
  { as: 'checkpoint to infer', words: 'infer FILE', exit: 4 },
  { as: 'checkpoint to check', words: 'check g.json FILE', exit: 4 },
  { as: 'weights', words: 'sample g.json --weights FILE --seeds 0 -o out --reference', exit: 4 },
  { as: 'weights with a key', words: 'export g.json --weights FILE#ema -o o.onnx', exit: 4 },
  { as: 'shard', words: 'convert i.index.json o.safetensors', exit: 4 },
  { as: 'tuning', words: 'stats g.json --tuning FILE', exit: 5 },
  {
    as: 'rename map',
    words: 'sample g.json --weights hash:1 --rename-map FILE --seeds 0 -o out --reference',
    exit: 4,
  },
  { as: 'accepted findings', words: 'diff g.json h.json --accept FILE', exit: 5 },
  { as: 'inputs', words: 'run g.json --weights hash:1 --inputs FILE -o o.safetensors --reference', exit: 5 },
  { as: 'manifest to merge', words: 'merge FILE -o all.npz', exit: 5 },
  { as: 'graph of init', words: 'init FILE -o o.safetensors', exit: 3 },
  { as: 'training data', words: 'data FILE --graph g.json', exit: 5 },
  { as: 'data to evaluate', words: 'evaluate g.json --weights hash:1 --data FILE --reference', exit: 5 },
  { as: 'data to train on', words: 'train g.json --data FILE --steps 1 -o out', exit: 5 },
  {
    as: 'training batch',
    words: 'gradients g.json --weights hash:1 --inputs FILE -o o.safetensors --reference',
    exit: 5,
  },
  { as: 'model', words: 'run FILE --weights hash:1 --inputs in.safetensors -o o --reference', exit: 3 },
  { as: 'noise', words: 'sample g.json --weights hash:1 --noise FILE -o out --reference', exit: 5 },
];

const PLACES: readonly (readonly [name: string, file: string, make: ((at: string) => void) | null])[] = [
  ['/dev/zero', '/dev/zero', null],
  ['/dev/full', '/dev/full', null],
  ['/dev/urandom', '/dev/urandom', null],
  ['a pipe without a writer', 'pipe', (at) => void execFileSync('mkfifo', [at])],
  ['a folder', 'folder', (at) => fs.mkdirSync(at)],
  ['a link to itself', 'loop', (at) => fs.symlinkSync('loop', at)],
  ['a link to nothing', 'dangling', (at) => fs.symlinkSync('nowhere', at)],
  ['a file that is denied', 'denied', (at) => fs.writeFileSync(at, '{}')],
  ['a file in a folder that is denied', 'closed/file', (at) => fs.writeFileSync(at, '{}')],
];

/** Modes that deny whoever is not root. */
const DENIED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  denied: { denied: 0 },
  'closed/file': { closed: 0 },
};

/** A pipe or a device as an index of shards is told by its own name. */
function read({ as, words, exit }: Reader, [name, file, make]: (typeof PLACES)[number]): HostileCase | null {
  // a folder is a bundle where a model may be one, and a link of no shard is a name like any other
  if (as === 'shard' && file.startsWith('/')) return null;
  if (name === 'a folder' && (as === 'side of a diff' || as === 'model' || as === 'manifest to merge'))
    return null;
  return bad(`${name} as ${as}`, words.replace('FILE', file), exit, file, {
    files: {
      'g.json': () => small(),
      'h.json': () => small({}, { num_heads: 2 }),
      'in.safetensors': () => tensors(SMALL_INPUTS),
      'i.index.json': () => JSON.stringify({ weight_map: { a: file } }),
      ...(make === null ? {} : { [file]: (): Content => make }),
    },
    modes: DENIED[file] ?? {},
  });
}

const READ = READERS.flatMap((reader) => PLACES.flatMap((place) => read(reader, place) ?? []));

/** Words that write to OUT, with what they read; the ending that its name must have, where one is asked for. */
const WRITERS: readonly (readonly [words: string, ending: string])[] = [
  ['convert w.safetensors -o OUT', '.safetensors'],
  ['infer d.json -o OUT', ''],
  ['export g.json --weights hash:1 -o OUT', '.onnx'],
  ['run g.json --weights hash:1 --inputs in.safetensors -o OUT --reference', ''],
  ['graph g.json -o OUT', '.svg'],
  ['init g.json -o OUT', '.safetensors'],
  ['inputs g.json -o OUT', ''],
  ['gradients g.json --weights hash:1 --inputs batch.safetensors -o OUT --reference', ''],
  ['data d.safetensors --graph g.json --preview OUT', ''],
];

const folder = () => (at: string) => fs.mkdirSync(at);

/** Names that cannot be written; a device has no ending. */
const TARGETS: readonly (readonly [name: string, out: string, files: HostileCase['files']])[] = [
  ['below a file', 'file/out', { file: () => 'mine' }],
  ['below /proc', '/proc/out', {}],
  ['a name of 300 letters', 'a'.repeat(300), {}],
  [
    'a folder',
    'folder',
    { folder, 'folder.safetensors': folder, 'folder.onnx': folder, 'folder.svg': folder },
  ],
  ['a full device', '/dev/full', {}],
  ['a folder that is denied', 'closed/out', { closed: folder }],
];

/** Folders whose contents are known and none of which may be changed. */
const CLOSED: Readonly<Record<string, number>> = { closed: 0o555 };

const SOURCES: HostileCase['files'] = {
  'g.json': () => small(),
  'w.safetensors': () => tensors({ a: floatsOf([1]) }),
  'd.json': () =>
    fs.readFileSync(
      new URL(`file://${MNIST_SR.replace('graphs/mnist-sr.json', 'test/golden/tiny-film/state-dict.json')}`),
    ),
  'in.safetensors': () => tensors({ x: floatsOf([1, 1, 8, 8]), timesteps: floatsOf([1]) }),
  'd.safetensors': () => tensors({ x_start: floatsOf([2, 1, 8, 8]) }),
  'batch.safetensors': () => tensors(SMALL_BATCH),
};

const WRITTEN: readonly HostileCase[] = WRITERS.flatMap(([words, ending]) =>
  TARGETS.filter(([, out]) => ending === '' || !out.startsWith('/dev/')).map(([name, out, files]) =>
    bad(`${words.split(' ')[0]} to ${name}`, words.replace('OUT', `${out}${ending}`), 9, out.slice(0, 40), {
      files: { ...SOURCES, ...files },
      modes: out.startsWith('closed/') ? CLOSED : {},
    }),
  ),
);

const GREY = () => pngFile({ width: 8, height: 8, type: 0, bits: 8 }, (x) => x);

/** Folders that may not be listed, entered or written in. */
const SAMPLE = 'sample g.json --weights hash:1 --seeds 0 --steps 2 --reference -o';
const denied = (name: string, words: string, exit: number, says: string, modes: HostileCase['modes']) =>
  bad(`denied: ${name}`, words, exit, says, {
    files: { ...SOURCES, closed: folder, 'p.png': () => '' },
    modes,
  });
const FOLDERS: readonly HostileCase[] = [
  denied('samples into a folder', `${SAMPLE} closed`, 9, 'closed', CLOSED),
  denied('samples below a folder', `${SAMPLE} closed/out`, 9, 'closed', CLOSED),
  denied('samples into a folder that cannot be entered', `${SAMPLE} closed`, 9, 'closed', { closed: 0 }),
  denied('a bundle into a folder', 'compile g.json -o closed/b', 9, 'closed', CLOSED),
  denied(
    'a bundle that cannot be read',
    'run closed --weights hash:1 --inputs in.safetensors -o o',
    6,
    'closed',
    {
      closed: 0,
    },
  ),
  denied('a merge of a folder', 'merge closed -o all.npz', 5, 'closed', { closed: 0 }),
  denied('data in a folder', 'data closed --graph g.json', 5, 'closed', { closed: 0 }),
  bad('denied: the folder of a class', 'data set --graph g.json', 5, ['set/closed', 'permission denied'], {
    files: { ...SOURCES, 'set/a.png': () => '', 'set/closed': folder },
    modes: { 'set/closed': 0 },
  }),
  ...(
    [
      ['data', 'data set --graph g.json'],
      [
        'a run of training',
        'train g.json --data set --steps 3 --batch 1 --sample-interval 0 --reference -o out',
      ],
      ['an evaluation', 'evaluate g.json --weights hash:1 --data set --steps 2 --reference -o out'],
      ['an encoding', 'encode g.json --weights hash:1 --images set --reference -o o.safetensors'],
    ] as const
  ).map(([name, words]) =>
    bad(`denied: a picture of ${name}`, words, 5, ['set/b.png: permission denied', 'its mode'], {
      files: { ...SOURCES, 'set/a.png': GREY, 'set/b.png': GREY, 'set/c.png': GREY },
      modes: { 'set/b.png': 0 },
      writes: ['out'],
    }),
  ),
  denied(
    'pictures in a folder',
    'encode g.json --weights hash:1 --images closed -o o.safetensors --reference',
    5,
    'closed',
    {
      closed: 0,
    },
  ),
  denied(
    'a run of training into a folder',
    'train g.json --data d.safetensors --steps 1 -o closed/run',
    9,
    'closed',
    CLOSED,
  ),
  denied('a folder of diffusers', 'import closed -o o.json', 3, 'closed', { closed: 0 }),
];

export const DEVICE_CASES: readonly HostileCase[] = [...READ, ...WRITTEN, ...FOLDERS];
