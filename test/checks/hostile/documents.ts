// Tunings, rename maps and files of accepted findings: no JSON, other documents, values that they cannot have.

import { tuningDocument } from '../fuzz/seeds.ts';
import { bad, type Content, type HostileCase } from './case.ts';
import { many, SMALL_INPUTS, small, tensors } from './corpus.ts';

/** What no document of JSON may be. */
const BROKEN: readonly (readonly [name: string, content: () => Content])[] = [
  ['empty', () => ''],
  ['no JSON', () => '{"format":'],
  ['null', () => 'null'],
  ['a list', () => '[]'],
  ['a text', () => '"a"'],
  ['bytes', () => Uint8Array.of(0xff, 0xfe, 0)],
  ['nested 100,000 deep', () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['of another kind', () => '{"format": "unetc-samples", "version": 1}'],
  [
    '10 MB of keys',
    () => `{${Array.from({ length: 200_000 }, (_, i) => `"key number ${i} of many others": 1`).join()}}`,
  ],
  ['keys that are inherited', () => '{"__proto__": {}, "constructor": 1, "toString": 2}'],
];

const graph = { 'g.json': () => small() };
const TUNED = 'compile g.json -o out --target software --tuning t.json';
const tuning = (name: string, content: () => Content, says: string | readonly string[] = []) =>
  bad(`tuning: ${name}`, TUNED, 5, ['t.json', ...(typeof says === 'string' ? [says] : says)], {
    files: { ...graph, 't.json': content },
    megabytes: 250,
  });
const changed = (changes: object) => () => JSON.stringify({ ...tuningDocument(), ...changes });

const TUNINGS: readonly HostileCase[] = [
  ...BROKEN.map(([name, content]) => tuning(name, content)),
  tuning('no groups', changed({ groups: undefined }), '/groups'),
  tuning('a group that is no object', changed({ groups: { a: 5 } }), '/groups/a'),
  tuning('a candidate that nobody knows', changed({ groups: { a: { 'fast 1x1': 1 } } }), '/groups/a'),
  tuning('a time of 0', changed({ groups: { a: { 'direct 32x32': 0 } } }), '/groups/a/direct 32x32'),
  tuning('a time as text', changed({ groups: { a: { 'direct 32x32': '1' } } }), '/groups/a/direct 32x32'),
  tuning('a time below 0', changed({ groups: { a: { 'direct 32x32': -1 } } }), '/groups/a'),
  tuning('no adapter', changed({ adapter: null }), '/adapter'),
  tuning('version 2', changed({ version: 2 }), '/version'),
  tuning('a key more', changed({ extra: 1 }), 'extra'),
  bad(
    'tuning: of another target',
    'compile g.json -o out --target generic --tuning t.json',
    2,
    ['--tuning', 'software'],
    {
      files: { ...graph, 't.json': changed({}) },
    },
  ),
  bad('tuning: no file', TUNED, 5, 't.json', { files: graph }),
  bad('tuning: no file, stats', 'stats g.json --tuning t.json', 5, 't.json', { files: graph }),
];

const inputs = { 'in.safetensors': () => tensors(SMALL_INPUTS) };
const RENAMED =
  'run g.json --weights hash:1 --rename-map m.json --inputs in.safetensors -o o.safetensors --reference';
const map = {
  format: 'unetc-rename-map',
  version: 1,
  from: 'a',
  to: 'b',
  renames: {},
  zeros: [],
  dropped: [],
};
const renames = (name: string, content: () => Content, says: string | readonly string[] = []) =>
  bad(`rename map: ${name}`, RENAMED, 4, ['m.json', ...(typeof says === 'string' ? [says] : says)], {
    files: { ...graph, ...inputs, 'm.json': content },
    megabytes: 250,
  });
const other = (changes: object) => () => JSON.stringify({ ...map, ...changes });

const RENAMES: readonly HostileCase[] = [
  ...BROKEN.map(([name, content]) => renames(name, content)),
  renames('a name that is no text', other({ renames: { a: 5 } }), '/renames/a'),
  renames('zeros that are no list', other({ zeros: 'a' }), '/zeros'),
  renames('dropped that holds a number', other({ dropped: [1] }), '/dropped/0'),
  renames('version 7', other({ version: 7 }), '/version'),
  renames('a key more', other({ extra: {} }), 'extra'),
  bad('rename map: no file', RENAMED, 4, 'm.json', { files: { ...graph, ...inputs } }),
];

const ACCEPTED = 'diff g.json h.json --accept a.json --no-schedule';
const sides = { ...graph, 'h.json': () => small({}, { num_heads: 2 }) };
const accepted = (name: string, content: () => Content, says: string | readonly string[] = []) =>
  bad(`accepted: ${name}`, ACCEPTED, 5, ['a.json', ...(typeof says === 'string' ? [says] : says)], {
    files: { ...sides, 'a.json': content },
    megabytes: 250,
  });

const ACCEPTS: readonly HostileCase[] = [
  ...BROKEN.map(([name, content]) => accepted(name, content)),
  accepted('of a version before', () => '{"version": 1, "accepted": {}}', 'version 1'),
  accepted('version 9', () => '{"format": "unetc-accepted", "version": 9, "graphs": {}}', '/version'),
  accepted('a list of findings', () => '{"format": "unetc-accepted", "version": 2, "graphs": []}', '/graphs'),
  bad('accepted: no file', ACCEPTED, 5, 'a.json', { files: sides }),
];

const DIFFS: readonly HostileCase[] = [
  bad('diff: a side that is not there', 'diff g.json none.json', 3, 'none.json', { files: graph }),
  bad(
    'diff: a ref that git does not have',
    'diff git:no-such-ref:g.json g.json',
    3,
    'git:no-such-ref:g.json',
    { files: graph },
  ),
  bad('diff: a ref that is an option', 'diff git:--help:g.json g.json', 2, 'git:--help:g.json', {
    files: graph,
  }),
  bad('diff: half a place in git', 'diff git:main g.json', 2, 'git:REF:PATH', { files: graph }),
  bad('diff: one side', 'diff g.json', 2, 'two', { files: graph }),
  bad('diff: a side that is a picture', 'diff g.json p.png', 3, 'p.png', {
    files: { ...graph, 'p.png': () => many('\x89PNG', 400) },
  }),
  bad('diff: a format that nobody knows', 'diff g.json g.json --format yaml', 2, 'yaml', { files: graph }),
  bad('diff: a checkpoint that is damaged', 'diff g.json w.pt', 4, 'w.pt', {
    files: { ...graph, 'w.pt': () => 'PK\x03\x04' },
  }),
];

export const DOCUMENT_CASES: readonly HostileCase[] = [...TUNINGS, ...RENAMES, ...ACCEPTS, ...DIFFS];
