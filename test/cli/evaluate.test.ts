// `unetc evaluate` on the reference executor: its document, its words, and what it refuses. Its numbers on a GPU are in
// device/evaluate.test.ts.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseEvaluation } from '../../cli/words/evaluate.ts';
import { UsageError } from '../../engine/errors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import {
  BOUND_FILE,
  BOUND_NAMES,
  BOUND_STEPS,
  BOUND_WEIGHTS,
  boundGraph,
  recordedBound,
  worstError,
} from '../bound-case.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();

beforeEach(() => fs.writeFileSync(at('graph.json'), boundGraph()));

const call = (...more: readonly string[]) =>
  [
    ...['evaluate', at('graph.json'), '--weights', BOUND_WEIGHTS, '--data', BOUND_FILE, '--reference'],
    ...['--steps', BOUND_STEPS, ...more],
  ] as const;

test('--json lists every term as the original does', async () => {
  const found = await unetcJson<Record<string, unknown>>(...call('--noise', BOUND_FILE));
  expect(found.exit).toBe(0);
  for (const name of BOUND_NAMES) {
    const values = (found[name] as readonly (number | readonly number[])[]).flat();
    expect(worstError(values, recordedBound(name)), name).toBeLessThan(1e-5);
  }
  expect(found.vb).toHaveLength(2);
  expect((found.vb as readonly unknown[])[0]).toHaveLength(20);
  expect(found).toMatchObject({ name: 'bpd', samples: 2, files: [], resumed: 0 });
});

test('says the bound in words, with files where there is a folder, and that all was there', async () => {
  const { exit, stdout } = await unetc(...call('-o', at('out'), '--limit', '1'));
  expect(exit).toBe(0);
  expect(stdout).toMatch(
    /^\d+\.\d{4} bits per dimension, the prior's .* among them\n {2}1 image at 20 steps in /,
  );
  expect(stdout).toContain('manifest.json');
  expect((await unetc(...call('-o', at('out'), '--limit', '1'))).stdout).toContain(
    '20 steps, which were there',
  );
});

test('merge takes evaluations', async () => {
  for (const shard of ['0/2', '1/2']) await unetc(...call('-o', at('out'), '--shard', shard));
  const { exit, stdout } = await unetc('merge', at('out'), '-o', at('all.safetensors'));
  expect(exit).toBe(0);
  expect(stdout).toMatch(/bits per dimension of 2 images, each once: .*all\.safetensors/);
  fs.rmSync(at('out/manifest-1-of-2.json'));
  const missing = await unetc('merge', at('out'));
  expect(missing.exit).toBe(1);
  expect(missing.stderr).toContain('images 1 are missing; run the same command again with --shard 1/2');
  const words = await unetc('merge', at('out'), '--seeds', '0-3');
  expect(words.exit).toBe(2);
  expect(words.stderr).toContain('these are evaluations');
});

describe('refuses', () => {
  test.each<[string, readonly string[], number, string]>([
    ['data that is missing', ['--data', 'none.npz'], 5, 'none.npz'],
    ['steps that cannot be had', ['--steps', 'ddim999'], 5, 'cannot be had'],
    ['words for steps', ['--steps', 'x'], 2, "--steps: found 'x'"],
    ['noise that is missing', ['--noise', 'none.safetensors'], 5, 'none.safetensors'],
    ['noise of other steps', ['--noise', BOUND_FILE, '--steps', '21'], 5, 'noise.20 are missing'],
    ['seed and noise', ['--noise', BOUND_FILE, '--seed', '1'], 2, '--seed and --noise'],
    ['a limit of nothing', ['--limit', '0'], 2, '--limit'],
    ['a shard beyond the last', ['--shard', '3/2'], 2, "--shard: found '3/2'"],
    ['to begin nothing anew', ['--no-resume'], 2, '--no-resume begins a folder anew'],
    ['an output that is a file', ['-o', BOUND_FILE], 9, 'expected.safetensors'],
  ])('%s', async (_, words, exit, says) => {
    const outcome = await unetc(...call(...words));
    expect(outcome.stderr).toContain(says);
    expect(outcome.exit).toBe(exit);
    expect(outcome.stdout).toBe('');
  });

  test('a classifier, and channels that do not fit the variance', async () => {
    fs.writeFileSync(at('graph.json'), goldenGraph('adm/classifier-attention'));
    const classifier = await unetc(...call());
    expect(classifier.exit).toBe(5);
    expect(classifier.stderr).toContain('it is a classifier');
    const graph = JSON.parse(boundGraph());
    fs.writeFileSync(
      at('graph.json'),
      JSON.stringify({ ...graph, diffusion: { ...graph.diffusion, variance: 'fixed_small' } }),
    );
    const channels = await unetc(...call());
    expect(channels.exit).toBe(5);
    expect(channels.stderr).toContain('diffusion.variance: fixed_small needs 3 output channels');
  });

  test('more terms than a document lists, before anything is opened', async () => {
    const many = { shape: [4500, 3, 8, 8], data: new Float32Array(4500 * 192) };
    fs.writeFileSync(at('many.safetensors'), writeTensors(new Map([['x_start', many]])));
    const words = ['--weights', 'none', '--data', at('many.safetensors'), '--json'];
    const { exit, stdout } = await unetc('evaluate', at('graph.json'), ...words);
    expect(exit).toBe(5);
    expect(stdout).toContain('leave --json out and read them from bounds.safetensors');
  });
});

test('a cluster says which part this is', () => {
  const words = { data: 'd', weights: 'hash:1' };
  expect(parseEvaluation('g.json', words, { RANK: '1', WORLD_SIZE: '4' }).shard).toMatchObject({
    index: 1,
    count: 4,
  });
  expect(
    parseEvaluation('g.json', { ...words, shard: 'none' }, { RANK: '1', WORLD_SIZE: '4' }).shard.count,
  ).toBe(1);
  expect(() => parseEvaluation('g.json', words, { RANK: '5', WORLD_SIZE: '4' })).toThrow(UsageError);
});
