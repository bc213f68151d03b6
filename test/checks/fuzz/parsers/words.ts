// Words of the command line: lists, sizes, respacings, shards, sides in git, and whole command lines.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { main } from '../../../../cli/main.ts';
import { parseBytes, parseSeeds, parseSize } from '../../../../cli/parse.ts';
import { parseJob } from '../../../../cli/words/sample.ts';
import { findShard } from '../../../../cli/words/shard.ts';
import { parseGitPlace } from '../../../../engine/diff/git.ts';
import { parseNumbers, rangesOf } from '../../../../engine/jobs/ranges.ts';
import { shardRange } from '../../../../engine/jobs/shard.ts';
import { respaceBetas, spaceTimesteps } from '../../../../runtime/sampler/respacing.ts';
import { SMALL_GRAPH } from '../../../fixtures/small-graph.ts';
import { recordingContext } from '../../../recording-context.ts';
import { mutateText } from '../mutate-text.ts';
import { bytesOf, consistent, Inconsistent, type Parser, readOr, refused, textOf } from '../parser.ts';
import type { Random } from '../random.ts';

function wordParser(
  name: string,
  share: number,
  seeds: readonly string[],
  read: (word: string) => boolean | Promise<boolean>,
): Parser {
  return {
    name,
    share,
    make: (random) => bytesOf(mutateText(random.pick(seeds), seeds, random)),
    read: (input) => read(textOf(input)),
  };
}

const LISTS = ['0-15', '1,5,9-12', '3', '0 - 7', '9007199254740991', '1,1,2', '0-99999999999', '7-3'];

export const lists = wordParser('list', 4, LISTS, async (word) => {
  const seeds = await readOr(['usage'], () => parseSeeds(word));
  const numbers = await readOr(['usage'], () => parseNumbers(word, '--class'));
  if (numbers === refused) return false;
  const again = parseNumbers(rangesOf(numbers), 'again');
  consistent(again.join() === numbers.join(), 'the list is another one when it is written and read again');
  consistent(seeds === refused || new Set(seeds).size === seeds.length, 'a seed is named twice');
  return true;
});

const RESPACINGS = ['50', 'ddim50', '10,10,20', '', '1000', 'ddim1', '2,0,3', '4000', 'ddim250', '0'];

export const respacing = wordParser('respacing', 4, RESPACINGS, async (word) => {
  const steps = 20 + (word.length % 4) * 490;
  const kept = await readOr(['input'], () => spaceTimesteps(steps, word));
  if (kept === refused) return false;
  const ascending = kept.every((t, i) => Number.isInteger(t) && t < steps && t > (kept[i - 1] ?? -1));
  consistent(ascending, () => `timesteps ${kept.slice(0, 20)} of ${steps}`);
  const betas = respaceBetas(
    Float64Array.from({ length: steps }, () => 0.01),
    kept,
  );
  consistent(
    betas.every((beta) => beta > 0 && beta < 1),
    'a beta is out of its range',
  );
  return true;
});

const MEASURES = [
  '64x96',
  '64',
  '8x8x8',
  '600MB',
  '1.5 GiB',
  '1e9',
  '65536x1',
  '0x0',
  '2/4',
  '0/1',
  'none',
  '3-of-4',
];

/** Sizes, memory and shards: what is taken is in its range. */
export const measures = wordParser('measure', 3, MEASURES, async (word) => {
  const size = await readOr(['usage'], () => parseSize(word));
  const memory = await readOr(['usage'], () => parseBytes(word, '--memory'));
  const shard = await readOr(['usage'], () => findShard(word, {}));
  if (size !== refused)
    consistent(
      size.every((n) => n >= 1 && n <= 2 ** 24),
      `sizes ${size}`,
    );
  if (memory !== refused) consistent(Number.isSafeInteger(memory) && memory > 0, `memory ${memory}`);
  if (shard !== refused) {
    const [first, end] = shardRange(shard, 100);
    consistent(first >= 0 && first <= end && end <= 100, `shard ${first} to ${end}`);
  }
  return size !== refused || memory !== refused || shard !== refused;
});

const PLACES = [
  'git:main:graphs/mnist.json',
  'git:HEAD~1:./x',
  'git::',
  'git:a',
  'graphs/mnist.json',
  'git:v1:a:b#c',
];

export const gitSides = wordParser('git-side', 3, PLACES, async (word) => {
  const place = await readOr(['usage'], () => parseGitPlace(word));
  if (place === refused || place === null) return false;
  consistent(!place.ref.startsWith('-') && place.ref !== '' && place.path !== '', `ref '${place.ref}'`);
  return true;
});

const SAMPLE_WORDS: Readonly<Record<string, readonly string[]>> = {
  ...{ seeds: LISTS, class: LISTS, steps: RESPACINGS, size: MEASURES, memory: MEASURES, shard: MEASURES },
  ...{
    sampler: ['ddpm', 'ddim', 'dpmpp', 'euler'],
    eta: ['0', '1', '0.5', '-1', 'nan'],
    format: ['png', 'npz', 'npy', 'gif'],
  },
  ...{
    guidance: ['0', '1.5', '1e3', '-1'],
    nullClass: ['10', '0', '1000001'],
    batch: ['1', '8', '4097', '0'],
  },
  ...{
    noise: ['z.safetensors'],
    lowRes: ['a.png'],
    downscale: ['1', '2', '1025'],
    trajectory: ['apng', 'strip'],
  },
  ...{ checkpointEvery: ['1', '0', '5'], precision: ['f32', 'f16', 'f8'] },
};

/** The words of `sample` as the command reads them, as a document. */
export const sampleWords: Parser = {
  name: 'sample-words',
  share: 4,
  make(random) {
    const chosen = Object.entries(SAMPLE_WORDS).filter(() => random.oneIn(4));
    const words = chosen.map(([key, values]) => {
      const word = random.pick(values);
      return [key, random.oneIn(3) ? mutateText(word, values, random) : word];
    });
    return bytesOf(JSON.stringify({ weights: 'hash:1', output: 'out', ...Object.fromEntries(words) }));
  },
  async read(input) {
    const job = await readOr(['usage'], () => parseJob('graph.json', JSON.parse(textOf(input))));
    if (job === refused) return false;
    consistent(job.seeds === null || job.seeds.every(Number.isSafeInteger), 'a seed is no whole number');
    const { batch = 1 } = job.options;
    consistent(batch >= 1 && Number.isInteger(batch), `batch ${batch}`);
    return true;
  },
};

const COMMANDS = [
  ...[
    'validate',
    'expand',
    'stats',
    'compile',
    'run',
    'sample',
    'encode',
    'merge',
    'diff',
    'infer',
    'import',
    'check',
    'convert',
  ],
  ...[
    'export',
    'graph',
    'drift',
    'profile',
    'tune',
    'report',
    'help',
    '--help',
    '--version',
    '',
    '-x',
    'vailidate',
  ],
];
const OPTIONS = [
  ...[
    '--json',
    '--help',
    '-h',
    '--',
    '-',
    '--weights',
    '--seeds',
    '--out',
    '-o',
    '--output',
    '--batch',
    '--size',
    '--steps',
  ],
  ...[
    '--precision',
    '--target',
    '--memory',
    '--tuning',
    '--inputs',
    '--taps',
    '--strict',
    '--emit',
    '--types',
    '--format',
  ],
  ...[
    '--fail-on',
    '--accept',
    '--rename-map',
    '--write-accepted',
    '--reason',
    '--images',
    '--refine',
    '--class',
    '--quiet',
  ],
  ...[
    '--guidance',
    '--null-class',
    '--shard',
    '--allow-unexpected',
    '--gradient',
    '--low-res',
    '--noise',
    '--sampler',
    '--nope',
  ],
];
const VALUES = [
  ...[
    'small.json',
    'none.json',
    'folder',
    'small.json#a',
    'hash:1',
    'hash:x',
    '0-3',
    '1',
    '0',
    '-1',
    '1e9',
    '8x8',
    '4',
    'f16',
  ],
  ...[
    'generic',
    'software',
    'schedule',
    'kernels',
    'json',
    'breaking',
    'ddim50',
    '600MB',
    'out',
    'git:HEAD:x',
    '0/2',
  ],
];

/** Commands that open a GPU where their words are right. */
const WITH_GPU = /^(run|sample|encode|drift|profile|tune|bench|demo|doctor)$/;

function commandLine(random: Random): Uint8Array {
  const words = [random.pick(COMMANDS)];
  const length = random.below(9);
  for (let i = 0; i < length; i++) {
    const word = random.pick(random.oneIn(2) ? OPTIONS : VALUES);
    words.push(random.oneIn(12) ? mutateText(word, VALUES, random).replaceAll('/', '') : word);
  }
  // nothing is computed here: what would open a GPU has no weights
  const gpu = WITH_GPU.test(words[0]!) ? ['--weights', 'missing.safetensors'] : [];
  return bytesOf([...words, ...gpu].join('\u0001'));
}

/** Whole command lines in a folder of their own: an exit code of the table, one document with --json, no stray files. */
export const commandLines: Parser = {
  name: 'argv',
  share: 2,
  make: commandLine,
  async read(input, at) {
    const words = textOf(input).split('\u0001');
    const folder = at('cwd');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(`${folder}/folder`, { recursive: true });
    writeFileSync(`${folder}/small.json`, SMALL_GRAPH);
    const context = recordingContext();
    const exit = await main(inFolder(words, folder), context);
    if (exit < 0 || exit > 9)
      throw new Inconsistent(`exit ${exit}: ${context.printed.stderr.slice(0, 3000)}`);
    consistent(
      exit === 0 || context.printed.stderr !== '' || context.printed.stdout !== '',
      `exit ${exit} without a word`,
    );
    if (words.includes('--json') && !words.includes('--') && exit !== 0) JSON.parse(context.printed.stdout);
    const left = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.tmp'),
    );
    consistent(left.length === 0, `${left} is left behind`);
    return exit === 0;
  },
};

/** Threads have no folder of their own: values that are paths are written out. */
function inFolder(words: readonly string[], folder: string): readonly string[] {
  return words.map((word) =>
    /^(small\.json|none\.json|folder|out|missing)/.test(word) ? `${folder}/${word}` : word,
  );
}
