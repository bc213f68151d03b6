// Bundles: manifests that are damaged, and manifests that were changed and sealed again, so that no hash tells.

import { createHash } from 'node:crypto';
import { digestedText, formatManifest, type Manifest } from '../../../runtime/bundle.ts';
import { smallBundle } from '../fuzz/seeds.ts';
import { bad, type Content, type HostileCase } from './case.ts';
import { SMALL_INPUTS, tensors } from './corpus.ts';

const bundle = smallBundle();

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

// biome-ignore lint/suspicious/noExplicitAny: what is changed here is no manifest any more
type Loose = any;

/** The manifest with a change in it, sealed again as its writer would. */
function sealed(change: (manifest: Loose) => void): string {
  const manifest = JSON.parse(JSON.stringify(bundle.manifest));
  change(manifest);
  try {
    manifest.sha256 = createHash('sha256').update(digestedText(manifest)).digest('hex');
  } catch (error) {
    // what nests too deep to be sealed nests too deep to be checked
    if (!(error instanceof RangeError)) throw error;
  }
  return formatManifest(manifest as Manifest);
}

const RUN = 'run b --weights hash:1 --inputs in.safetensors -o o.safetensors';

/** A bundle in the folder `b` that `run` refuses with exit 6, before a GPU is opened. */
function refused(
  name: string,
  manifest: () => Content,
  says: string | readonly string[],
  kernels: Readonly<Record<string, () => Content>> = {},
): HostileCase {
  const texts = [...bundle.kernels].map(([file, text]) => [`b/kernels/${file}`, () => text] as const);
  return bad(`bundle: ${name}`, RUN, 6, ['b', ...(typeof says === 'string' ? [says] : says)], {
    files: {
      ...Object.fromEntries(texts),
      'b/manifest.json': manifest,
      'in.safetensors': () => tensors(SMALL_INPUTS),
      ...kernels,
    },
  });
}

const whole = () => formatManifest(bundle.manifest);
const [firstKernel = ''] = bundle.kernels.keys();

const DAMAGED: readonly HostileCase[] = [
  refused('an empty manifest', () => '', 'no JSON'),
  refused('a manifest that breaks off', () => whole().slice(0, 5000), 'no JSON'),
  refused('null', () => 'null', 'manifest.json'),
  refused('a list', () => '[]', 'manifest.json'),
  refused(
    'of an older version',
    () =>
      sealed((m) => {
        m.version = 2;
      }),
    'unetc 0.1.0',
  ),
  refused(
    'of a later version',
    () =>
      sealed((m) => {
        m.version = 99;
      }),
    'a later unetc',
  ),
  refused(
    'of a version that is an object',
    () =>
      sealed((m) => {
        m.version = { ...m };
      }),
    'another program',
  ),
  refused(
    'of another format',
    () =>
      sealed((m) => {
        m.format = 'bundle';
      }),
    '/format',
  ),
  refused(
    'changed and not sealed',
    () => whole().replace('"batch": 1', '"batch": 1 '.trim()).replace('"name": "small"', '"name": "smoll"'),
    'SHA-256',
  ),
  refused('a kernel that was changed', whole, `kernels/${firstKernel}`, {
    [`b/kernels/${firstKernel}`]: () => 'fn main() {}',
  }),
  refused('a kernel that is no text', whole, firstKernel, {
    [`b/kernels/${firstKernel}`]: () => Uint8Array.of(0xff, 0xfe),
  }),
  refused(
    'a graph nested 3,000 deep',
    () =>
      sealed((m) => {
        m.graph.blocks = nested(3000);
      }),
    'levels deep',
  ),
  refused(
    'an arena of 2^52 bytes',
    () =>
      sealed((m) => {
        m.arenas[0] = 2 ** 52;
      }),
    'arena',
  ),
  refused(
    'a graph that is empty',
    () =>
      sealed((m) => {
        m.graph = {};
      }),
    '/graph',
  ),
  refused(
    'a graph of another size',
    () =>
      sealed((m) => {
        m.graph.image_size = [16, 16];
      }),
    '/graph',
  ),
  refused(
    'a graph of other parameters',
    () =>
      sealed((m) => {
        m.parameters.pop();
      }),
    'manifest.json',
  ),
  refused(
    'no kernels',
    () =>
      sealed((m) => {
        m.kernels = [];
      }),
    '/dispatches/0',
  ),
  refused(
    'no dispatches',
    () =>
      sealed((m) => {
        m.dispatches = [];
      }),
    '/passes',
  ),
  refused(
    'no dispatches, and passes that say so',
    () =>
      sealed((m) => {
        m.dispatches = [];
        m.passes[0].dispatches = 0;
      }),
    '/passes',
  ),
  refused(
    'no passes',
    () =>
      sealed((m) => {
        m.passes = [];
      }),
    '/passes',
  ),
  refused(
    'a path for a kernel',
    () =>
      sealed((m) => {
        m.kernels[0].file = '../../victim.txt';
      }),
    '/kernels/0/file',
  ),
  refused(
    'a kernel beyond the kernels',
    () =>
      sealed((m) => {
        m.dispatches[0].kernel = 1000;
      }),
    '/dispatches/0/kernel',
  ),
  refused(
    'half a kernel',
    () =>
      sealed((m) => {
        m.dispatches[0].kernel = 0.5;
      }),
    '/dispatches/0/kernel',
  ),
  refused(
    '70,000 workgroups',
    () =>
      sealed((m) => {
        m.dispatches[0].workgroups = [70_000, 1, 1];
      }),
    '/dispatches/0/workgroups',
  ),
  refused(
    'no workgroups',
    () =>
      sealed((m) => {
        m.dispatches[0].workgroups = [0, 1, 1];
      }),
    '/dispatches/0/workgroups',
  ),
  refused(
    'sizes that are not whole vectors',
    () =>
      sealed((m) => {
        m.dispatches[0].sizes = [1];
      }),
    '/dispatches/0/sizes',
  ),
  refused(
    'a slot beyond the slots',
    () =>
      sealed((m) => {
        m.inputs[0].slot = 1000;
      }),
    '/inputs',
  ),
  refused(
    'a slot of no bytes',
    () =>
      sealed((m) => {
        m.slots[0].bytes = 0;
      }),
    '/slots/0',
  ),
  refused(
    'a slot of 2^60 bytes',
    () =>
      sealed((m) => {
        m.slots[0].bytes = 2 ** 60;
      }),
    'slots',
  ),
  refused(
    'weights beyond their arena',
    () =>
      sealed((m) => {
        m.weights[0].length = 1e9;
      }),
    '/weights/0',
  ),
  refused(
    'weights at an odd place',
    () =>
      sealed((m) => {
        m.weights[0].offset = 3;
      }),
    '/weights/0',
  ),
  refused(
    'weights of a parameter that is not there',
    () =>
      sealed((m) => {
        m.weights[0].parts[0].param = 'x';
      }),
    '/weights/0/parts/0',
  ),
  refused(
    'weights in an arena that is not there',
    () =>
      sealed((m) => {
        m.weights[0].arena = 77;
      }),
    '/weights/0/arena',
  ),
  refused(
    'a batch of 0',
    () =>
      sealed((m) => {
        m.batch = 0;
      }),
    '/batch',
  ),
  refused(
    'a batch that ports do not have',
    () =>
      sealed((m) => {
        m.batch = 2;
      }),
    'manifest.json',
  ),
  refused(
    'an unknown precision',
    () =>
      sealed((m) => {
        m.precision = 'f8';
      }),
    '/precision',
  ),
  refused(
    'an unknown key',
    () =>
      sealed((m) => {
        m.extra = 1;
      }),
    'extra',
  ),
  refused(
    'a diffusion of other steps than the graph',
    () =>
      sealed((m) => {
        m.diffusion.steps = 77;
      }),
    'steps',
  ),
  refused(
    'no time path',
    () =>
      sealed((m) => {
        delete m.time_path;
      }),
    '/time_path',
  ),
  refused(
    'a time path longer than the pass',
    () =>
      sealed((m) => {
        m.time_path.dispatches = 10_000;
      }),
    '/time_path',
  ),
  refused(
    'an input of another name',
    () =>
      sealed((m) => {
        m.inputs[0].name = 'z';
      }),
    'inputs',
  ),
  refused('a float of 1e400', () => whole().replace('"batch": 1,', '"batch": 1e400,'), 'manifest.json'),
];

const dispatchesOf = (manifest: Loose): Loose[] => manifest.dispatches;

/** Sound in every part, and not what its graph compiles to. */
const RECOMPILED: readonly HostileCase[] = [
  refused(
    'two dispatches swapped',
    () =>
      sealed((m) => {
        const d = dispatchesOf(m);
        [d[1], d[2]] = [d[2], d[1]];
      }),
    'graph',
  ),
  refused(
    'a dispatch dropped',
    () =>
      sealed((m) => {
        m.dispatches.splice(3, 1);
        m.passes[0].dispatches--;
      }),
    'graph',
  ),
  refused(
    'half the workgroups',
    () =>
      sealed((m) => {
        for (const one of dispatchesOf(m)) one.workgroups[0] = Math.ceil(one.workgroups[0] / 2);
      }),
    'graph',
  ),
  refused(
    'weights without parts',
    () =>
      sealed((m) => {
        m.weights[0].parts = [];
        m.weights[0].filled = 'dispatch';
      }),
    'b',
  ),
  refused(
    'weights that overlap',
    () =>
      sealed((m) => {
        m.weights[1].offset = m.weights[0].offset;
      }),
    'b',
  ),
  refused(
    'flops of another count',
    () =>
      sealed((m) => {
        m.dispatches[0].flops += 1;
      }),
    'graph',
  ),
  refused(
    'a kernel of its own, sealed',
    () =>
      sealed((m) => {
        m.kernels[0].sha256 = createHash('sha256').update('fn nothing() {}').digest('hex');
      }),
    'b',
    { [`b/kernels/${firstKernel}`]: () => 'fn nothing() {}' },
  ),
];

const FOLDERS: readonly HostileCase[] = [
  bad('bundle: an empty folder', RUN, 6, 'b: ', { files: { 'b/x': () => '' } }),
  bad('bundle: a folder for a manifest', RUN, 6, 'manifest.json', {
    files: { 'b/manifest.json/x': () => '' },
  }),
  bad('bundle: not there', RUN, 3, 'b'),
  bad('bundle: compiled over a folder of others', 'compile g.json -o b', 9, 'mine.txt', {
    files: { 'g.json': () => JSON.stringify(bundle.manifest.graph), 'b/mine.txt': () => 'mine' },
  }),
  bad('bundle: compiled over a file', 'compile g.json -o b', 9, 'b', {
    files: { 'g.json': () => JSON.stringify(bundle.manifest.graph), b: () => 'mine' },
  }),
  bad('bundle: options that it was not compiled with', `${RUN} --batch 2`, 2, '--batch', {
    files: refused('', whole, '').files,
  }),
];

/** What never ends is given up by whoever trusts it, and named; the GPU of a driver that computes goes on until the end. */
const SPIN =
  'var spin = 1u; loop { if (spin == 0u) { break; } spin = (spin * 3u) | 1u; } if (spin == 7u) { return; }';
const [endlessFile = '', endlessText = ''] = [...bundle.kernels].at(-1)!;
const endless = endlessText.replace(/fn main\([^{]*\{/, (head) => `${head} ${SPIN}`);
const spinning = () =>
  sealed((m) => {
    m.kernels.at(-1).sha256 = createHash('sha256').update(endless).digest('hex');
  });

const ENDLESS: readonly HostileCase[] = [
  refused('a kernel that never ends', spinning, 'not what its graph compiles to', {
    [`b/kernels/${endlessFile}`]: () => endless,
  }),
  ...['run b --inputs in.safetensors -o o.safetensors', 'sample b --seeds 0 --steps 2 -o out'].map(
    (words) => {
      const [command = ''] = words.split(' ');
      const trusted = `${words} --weights hash:1 --trust --timeout 3`;
      return {
        ...refused('a kernel that never ends', spinning, [], { [`b/kernels/${endlessFile}`]: () => endless }),
        name: `bundle: a kernel that never ends, trusted by ${command}`,
        words: trusted.split(' '),
        exit: 8,
        says: [`kernels/${endlessFile}`, 'did not end within 3 s'],
        writes: command === 'sample' ? ['out'] : [],
        seconds: 60,
        megabytes: 1000,
      };
    },
  ),
];

export const BUNDLE_CASES: readonly HostileCase[] = [...DAMAGED, ...RECOMPILED, ...FOLDERS, ...ENDLESS];
