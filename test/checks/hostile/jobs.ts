// Folders of samples: manifests, journals, locks, links and chains that are not as a run left them.

import fs from 'node:fs';
import os from 'node:os';
import { bad, type Content, type HostileCase } from './case.ts';
import { floatsOf, small, tensors } from './corpus.ts';

const HASH = 'a'.repeat(64);
const MANIFEST = {
  ...{ format: 'unetc-samples', version: 1, recipe: {}, job: {} },
  ...{ shard: { index: 0, count: 1 }, adapter: 'a', samples: [], files: [] },
};
const manifest = (changes: object) => () => JSON.stringify({ ...MANIFEST, ...changes });
const graph = { 'g.json': () => small() };
const SAMPLE = 'sample g.json --weights hash:1 --seeds 0 --steps 2 -o out --reference';

/** A manifest that a sampling into its folder, and a merge of it, both refuse. */
function refused(name: string, content: () => Content, says = ''): readonly HostileCase[] {
  const files = { ...graph, 'out/manifest.json': content };
  return [
    bad(`manifest: ${name}`, SAMPLE, 9, ['out/manifest.json', says], { files }),
    bad(`manifest of a merge: ${name}`, 'merge out -o all.npz', 5, ['manifest.json', says], { files }),
  ];
}

const leading = (file: string) =>
  manifest({ samples: [{ seed: 0, file, sha256: HASH }], files: [{ file, sha256: HASH }] });

const MANIFESTS: readonly HostileCase[] = [
  ...refused('empty', () => ''),
  ...refused('no JSON', () => '{'),
  ...refused('null', () => 'null'),
  ...refused('of another format', manifest({ format: 'unetc-bundle' }), 'format'),
  ...refused('version 2', manifest({ version: 2 }), 'version'),
  ...refused('samples that are no list', manifest({ samples: {} }), 'samples'),
  ...refused('a seed of -1', manifest({ samples: [{ seed: -1 }] }), 'seed'),
  ...refused('a seed of 2^60', manifest({ samples: [{ seed: 2 ** 60 }] }), 'seed'),
  ...refused('a hash that is none', manifest({ files: [{ file: 'a.png', sha256: 'x' }] }), 'sha256'),
  ...refused('a shard of none', manifest({ shard: { index: 0, count: 0 } }), 'count'),
  ...refused('a path out of the folder', leading('../victim.txt'), 'file'),
  ...refused('a path out of the folder, later', leading('a/../../victim.txt'), 'file'),
  ...refused('an absolute path', leading('/etc/passwd'), 'file'),
  ...refused('a path with a backslash', leading('..\\victim.txt'), 'file'),
  ...refused('a key more', manifest({ extra: 1 }), ''),
];

/** What a run that begins anew removes lies in the folder, whatever the manifest says. */
const ANEW: readonly HostileCase[] = ['../victim.txt', 'a/../../victim.txt', '/etc/hostname'].map((file) =>
  bad(`anew over a manifest that names ${file}`, `${SAMPLE} --no-resume`, 9, 'manifest.json', {
    files: { ...graph, 'out/manifest.json': leading(file) },
  }),
);

const LOCK = 'out/.unetc/job/lock';
const place = [
  os.hostname(),
  read('/proc/sys/kernel/random/boot_id'),
  fs.existsSync('/proc/self/ns/pid') ? fs.readlinkSync('/proc/self/ns/pid') : '',
].join(' ');

function read(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : '';
}

/** When the process started that runs the check, as its system says it. */
const started = () => read('/proc/self/stat').split(') ').at(-1)?.split(' ')[19] ?? '';
const holder = (changes: object) => () =>
  JSON.stringify({
    ...{
      token: 't',
      place,
      host: os.hostname(),
      pid: process.pid,
      started: started(),
      since: '2026-01-01T00:00:00.000Z',
    },
    ...changes,
  });

const LOCKS: readonly HostileCase[] = [
  bad('lock: held by a process that lives', SAMPLE, 9, ['out', `process ${process.pid}`], {
    files: { ...graph, [LOCK]: holder({}) },
  }),
  bad('lock: held by a process that ended', SAMPLE, 0, '', {
    files: { ...graph, [LOCK]: holder({ pid: 2 ** 22 - 1 }) },
    writes: ['out'],
  }),
  bad('lock: of another process of that number', SAMPLE, 0, '', {
    files: { ...graph, [LOCK]: holder({ started: '1' }) },
    writes: ['out'],
  }),
  bad('lock: a folder in its place', SAMPLE, 9, 'lock', { files: { ...graph, [`${LOCK}/x`]: () => '' } }),
];

const CHAINS = 'out/.unetc/job/chains.safetensors';

/** Chains that are no chains stand in the way of a run that would go on with them, but of none that begins anew. */
const STOPPED: readonly HostileCase[] = [
  bad('chains: no safetensors', SAMPLE, 9, 'chains.safetensors', {
    files: { ...graph, [CHAINS]: () => 'chains' },
    writes: ['out/.unetc'],
  }),
  bad('chains: empty', SAMPLE, 9, 'chains.safetensors', {
    files: { ...graph, [CHAINS]: () => '' },
    writes: ['out/.unetc'],
  }),
  bad('chains: of another job', SAMPLE, 0, '', {
    files: { ...graph, [CHAINS]: () => tensors({ '0.x': floatsOf([64]) }) },
    writes: ['out'],
  }),
  bad('links: the state lies elsewhere', SAMPLE, 9, '.unetc', {
    files: {
      ...graph,
      'elsewhere/mine.txt': () => 'mine',
      'out/.unetc': () => (at) => fs.symlinkSync('../elsewhere', at),
    },
  }),
  bad('links: a picture lies elsewhere', SAMPLE, 9, '000000.png', {
    files: {
      ...graph,
      'mine.txt': () => 'mine',
      'out/000000.png': () => (at) => fs.symlinkSync('../mine.txt', at),
    },
    writes: ['out'],
  }),
];

const FOLDERS: readonly HostileCase[] = [
  bad('out: a file', SAMPLE, 9, 'out', { files: { ...graph, out: () => 'mine' } }),
  bad('out: below a file', SAMPLE.replace('-o out', '-o f/out'), 9, 'f', {
    files: { ...graph, f: () => 'mine' },
  }),
  bad('out: below /proc', SAMPLE.replace('-o out', '-o /proc/out'), 9, '/proc', { files: graph }),
  bad('out: of another job', SAMPLE, 9, ['out', 'steps'], {
    files: { ...graph, 'out/manifest.json': manifest({ recipe: { steps: '77' } }) },
  }),
  bad('out: a file in the place of the state', SAMPLE, 9, '.unetc', {
    files: { ...graph, 'out/.unetc': () => 'mine' },
  }),
  bad('out: a folder in the place of a picture', SAMPLE, 9, '000000.png', {
    files: { ...graph, 'out/000000.png/x': () => '' },
    writes: ['out'],
  }),
];

const MERGES: readonly HostileCase[] = [
  bad('merge: an empty folder', 'merge out', 2, 'out', { files: { 'out/x.txt': () => '' } }),
  bad('merge: a picture that is missing', 'merge out -o all.npz', 1, '000000.png', {
    files: {
      'out/manifest.json': manifest({
        job: { samples: 1, seeds: '0' },
        samples: [{ seed: 0, file: '000000.png', sha256: HASH }],
      }),
    },
  }),
  bad('merge: a picture of other bytes', 'merge out -o all.npz', 1, '000000.png', {
    files: {
      'out/manifest.json': manifest({
        job: { samples: 1, seeds: '0' },
        samples: [{ seed: 0, file: '000000.png', sha256: HASH }],
      }),
      'out/000000.png': () => 'other',
    },
  }),
  bad('merge: a part that is missing', 'merge out -o all.npz', 1, '1', {
    files: {
      'out/manifest-0-of-2.json': manifest({
        job: { samples: 2, seeds: '0-1' },
        shard: { index: 0, count: 2 },
      }),
    },
  }),
  bad('merge: a file', 'merge f.json', 5, 'f.json', { files: { 'f.json': () => '{}' } }),
  bad('merge: weights', 'merge w.safetensors', 5, 'w.safetensors', {
    files: { 'w.safetensors': () => tensors({ a: floatsOf([1]) }) },
  }),
];

export const JOB_CASES: readonly HostileCase[] = [
  ...MANIFESTS,
  ...ANEW,
  ...LOCKS,
  ...STOPPED,
  ...FOLDERS,
  ...MERGES,
];
