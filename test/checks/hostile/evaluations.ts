// Evaluations: data, noise, manifests, bounds, records and links that are not as `evaluate` takes or left them.

import fs from 'node:fs';
import { bad, type Content, type HostileCase } from './case.ts';
import { floatsOf, small, tensors } from './corpus.ts';

const HASH = 'a'.repeat(64);
const MANIFEST = {
  ...{ format: 'unetc-bounds', version: 1, recipe: {}, job: { samples: 1 } },
  ...{ shard: { index: 0, count: 1 }, adapter: 'a', samples: [], skipped: [], files: [] },
};
const manifest = (changes: object) => () => JSON.stringify({ ...MANIFEST, ...changes });
const files = {
  'g.json': () => small(),
  'd.safetensors': () => tensors({ x_start: floatsOf([2, 1, 8, 8]) }),
};
const EVALUATE =
  'evaluate g.json --weights hash:1 --data d.safetensors --steps 2 --reference -o out --batch 1';

/** A manifest that an evaluation into its folder, and a merge of it, both refuse. */
function refused(name: string, content: () => Content, says = ''): readonly HostileCase[] {
  const given = { ...files, 'out/manifest.json': content };
  return [
    bad(`evaluation's manifest: ${name}`, EVALUATE, 9, ['out/manifest.json', says], { files: given }),
    bad(`manifest of a merge of evaluations: ${name}`, 'merge out -o all', 5, ['manifest.json', says], {
      files: given,
    }),
  ];
}

const image = (changes: object) => ({ sample: 0, name: 'a', total_bpd: 1, prior_bpd: 0, ...changes });

const MANIFESTS: readonly HostileCase[] = [
  ...refused('version 2', manifest({ version: 2 }), 'version'),
  ...refused('images that are no list', manifest({ samples: {} }), 'samples'),
  ...refused('an image of -1', manifest({ samples: [image({ sample: -1 })] }), 'sample'),
  ...refused('a bound that is text', manifest({ samples: [image({ total_bpd: 'x' })] }), 'total_bpd'),
  ...refused('a path out of the folder', manifest({ files: [{ file: '../x', sha256: HASH }] }), 'file'),
  ...refused('a key more', manifest({ extra: 1 })),
  bad('merge of evaluations: more images than there are', 'merge out', 5, ['manifest.json', 'job.samples'], {
    files: { 'out/manifest.json': manifest({ job: { samples: 2 ** 53 } }) },
  }),
  bad('merge of evaluations: a file that is missing', 'merge out', 1, 'bounds.safetensors', {
    files: { 'out/manifest.json': manifest({ files: [{ file: 'bounds.safetensors', sha256: HASH }] }) },
  }),
  bad('merge of evaluations: an image that is missing', 'merge out', 1, 'images 0', {
    files: { 'out/manifest.json': manifest({}) },
  }),
];

const RECORDS = 'out/.unetc/job/terms.bin';

const FOLDERS: readonly HostileCase[] = [
  bad('evaluation: records of something else are none', EVALUATE, 0, '', {
    files: { ...files, [RECORDS]: () => new Uint8Array(24 * 1000 + 5).fill(7) },
    writes: ['out'],
  }),
  bad('evaluation: records that lie elsewhere', EVALUATE, 9, ['terms.bin', 'link'], {
    files: {
      ...files,
      'mine.bin': () => 'mine',
      [RECORDS]: () => (at: string) => fs.symlinkSync('../../../mine.bin', at),
    },
  }),
  bad('evaluation: a folder in the place of the bounds', EVALUATE, 9, 'bounds.safetensors', {
    files: { ...files, 'out/bounds.safetensors/x': () => '' },
  }),
  bad('evaluation: out is a file', EVALUATE, 9, 'out', { files: { ...files, out: () => 'mine' } }),
  bad('evaluation: out is below /proc', EVALUATE.replace('-o out', '-o /proc/out'), 9, '/proc', { files }),
  bad('evaluation: a folder of samples', EVALUATE, 9, 'no manifest of an evaluation', {
    files: { ...files, 'out/manifest.json': () => '{"format":"unetc-samples"}' },
  }),
];

const NOISE = EVALUATE.replace('-o out', '--noise n.safetensors');
const noise = (changes: Parameters<typeof tensors>[0]) => ({
  ...files,
  'n.safetensors': () =>
    tensors({ 'noise.0': floatsOf([2, 1, 8, 8]), 'noise.1': floatsOf([2, 1, 8, 8]), ...changes }),
});

const INPUTS: readonly HostileCase[] = [
  bad('evaluation: noise that is no safetensors', NOISE, 5, 'n.safetensors', {
    files: { ...files, 'n.safetensors': () => 'noise' },
  }),
  bad('evaluation: noise of another size', NOISE, 5, ['noise.1', '[2, 1, 8, 9]'], {
    files: noise({ 'noise.1': floatsOf([2, 1, 8, 9]) }),
  }),
  bad('evaluation: noise that is NaN', NOISE, 5, ['noise.1', 'NaN'], {
    files: noise({ 'noise.1': floatsOf([2, 1, 8, 8], Number.NaN) }),
  }),
  bad('evaluation: images out of range', EVALUATE, 5, ['d.safetensors', 'values in [-1, 1]'], {
    files: { ...files, 'd.safetensors': () => tensors({ x_start: floatsOf([1, 1, 8, 8], 3) }) },
  }),
  bad('evaluation: no images', EVALUATE, 5, 'd.safetensors', {
    files: { ...files, 'd.safetensors': () => tensors({ x_start: floatsOf([0, 1, 8, 8]) }) },
  }),
  bad('evaluation: weights that overflow', EVALUATE.replace('hash:1', 'w.safetensors'), 4, 'w.safetensors', {
    files: { ...files, 'w.safetensors': () => 'w' },
  }),
  bad('evaluation: a limit that is no number', `${EVALUATE} --limit x`, 2, '--limit', { files }),
  bad('evaluation: steps beyond the process', `${EVALUATE} --steps 99999`, 5, '99999', { files }),
];

export const EVALUATION_CASES: readonly HostileCase[] = [...MANIFESTS, ...FOLDERS, ...INPUTS];
