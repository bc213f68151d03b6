// What is no regular file, wherever a file is read, and what cannot be written, wherever one is: told at once.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { bad, type Content, type HostileCase } from './case.ts';
import { floatsOf, MNIST_SR, small, tensors } from './corpus.ts';

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
  { as: 'noise', words: 'sample g.json --weights hash:1 --noise FILE -o out --reference', exit: 5 },
];

const PLACES: readonly (readonly [name: string, file: string, make: ((at: string) => void) | null])[] = [
  ['/dev/zero', '/dev/zero', null],
  ['/dev/full', '/dev/full', null],
  ['a pipe without a writer', 'pipe', (at) => void execFileSync('mkfifo', [at])],
  ['a folder', 'folder', (at) => fs.mkdirSync(at)],
  ['a link to itself', 'loop', (at) => fs.symlinkSync('loop', at)],
  ['a link to nothing', 'dangling', (at) => fs.symlinkSync('nowhere', at)],
];

/** A pipe or a device as an index of shards is told by its own name. */
function read({ as, words, exit }: Reader, [name, file, make]: (typeof PLACES)[number]): HostileCase | null {
  // a folder is a bundle where a model may be one, and a link of no shard is a name like any other
  if (as === 'shard' && file.startsWith('/')) return null;
  if (name === 'a folder' && as === 'side of a diff') return null;
  return bad(`${name} as ${as}`, words.replace('FILE', file), exit, file, {
    files: {
      'g.json': () => small(),
      'h.json': () => small({}, { num_heads: 2 }),
      'i.index.json': () => JSON.stringify({ weight_map: { a: file } }),
      ...(make === null ? {} : { [file]: (): Content => make }),
    },
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
];

const SOURCES: HostileCase['files'] = {
  'g.json': () => small(),
  'w.safetensors': () => tensors({ a: floatsOf([1]) }),
  'd.json': () =>
    fs.readFileSync(
      new URL(`file://${MNIST_SR.replace('graphs/mnist-sr.json', 'test/golden/tiny-film/state-dict.json')}`),
    ),
  'in.safetensors': () => tensors({ x: floatsOf([1, 1, 8, 8]), timesteps: floatsOf([1]) }),
};

const WRITTEN: readonly HostileCase[] = WRITERS.flatMap(([words, ending]) =>
  TARGETS.filter(([, out]) => ending === '' || !out.startsWith('/dev/')).map(([name, out, files]) =>
    bad(`${words.split(' ')[0]} to ${name}`, words.replace('OUT', `${out}${ending}`), 9, out.slice(0, 40), {
      files: { ...SOURCES, ...files },
    }),
  ),
);

export const DEVICE_CASES: readonly HostileCase[] = [...READ, ...WRITTEN];
