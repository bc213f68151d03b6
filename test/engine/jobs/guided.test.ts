// Sampling jobs that a classifier guides: what their folders say of it, and what they are told apart by.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SampleWords } from '../../../cli/words/sample.ts';
import { fakeOpener, runFake, sampleWords } from '../../sampling-run.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

const GUIDED = { classifier: 'c.json', classifierWeights: 'hash:2', class: '1-3' };
const words = (out: string, more: Partial<SampleWords> = {}): SampleWords =>
  sampleWords(at(out), { seeds: '0-4', batch: '2', ...GUIDED, ...more });
const pictures = (folder: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readdirSync(at(folder))
      .filter((name) => /^\d+\.png$/.test(name))
      .map((name) => [name, fs.readFileSync(path.join(at(folder), name), 'hex')]),
  );

test('the manifest says by which classifier, which weights and how far', async () => {
  await runFake(words('out', { classifierScale: '2.5' }));
  const { recipe } = JSON.parse(fs.readFileSync(at('out/manifest.json'), 'utf8'));
  expect(recipe).toMatchObject({
    classifier: 'another',
    classifier_kernels: 'its own',
    classifier_weights: 'hash:2',
    classifier_scale: 2.5,
  });
  await runFake(sampleWords(at('plain'), { seeds: '0' }));
  const plain = JSON.parse(fs.readFileSync(at('plain/manifest.json'), 'utf8'));
  expect(plain.recipe).toMatchObject({ classifier_weights: null, classifier_scale: null });
});

describe('a folder of guided samples refuses', () => {
  test.each<[string, Partial<SampleWords>, string]>([
    ['another scale', { ...GUIDED, classifierScale: '2' }, 'classifier_scale: there 1, here 2'],
    [
      'other weights',
      { ...GUIDED, classifierWeights: 'hash:3' },
      'classifier_weights: there hash:2, here hash:3',
    ],
    [
      'no classifier',
      {},
      'classifier_weights: there hash:2, here none\n  classifier_scale: there 1, here none',
    ],
  ])('%s', async (_, more, message) => {
    await runFake(words('out'));
    await expect(runFake(sampleWords(at('out'), { seeds: '0-4', batch: '2', ...more }))).rejects.toThrow(
      message,
    );
  });

  test('and a folder of an earlier version, which knew no classifiers, refuses one', async () => {
    await runFake(sampleWords(at('out'), { seeds: '0-4', batch: '2' }));
    const file = at('out/manifest.json');
    const { recipe, ...rest } = JSON.parse(fs.readFileSync(file, 'utf8'));
    const { classifier_weights: _, classifier_scale: _scale, ...old } = recipe;
    fs.writeFileSync(file, JSON.stringify({ ...rest, recipe: old }));
    await expect(runFake(words('out'))).rejects.toThrow('classifier_scale: there none, here 1');
  });
});

test('shards of any size make the samples of the whole', async () => {
  await runFake(words('whole'));
  for (const i of [0, 1, 2]) await runFake(words('parts', { shard: `${i}/3`, batch: `${i + 1}` }));
  expect(pictures('parts')).toEqual(pictures('whole'));
  expect(Object.keys(pictures('whole'))).toHaveLength(5);
});

test('a graph beside a bundle takes its batch', async () => {
  fs.mkdirSync(at('bundle'));
  const { open, opened } = fakeOpener();
  const { batch: _, ...free } = words('out', { classifier: at('bundle') });
  await runFake(free, open);
  expect(opened.options).toMatchObject({ batch: undefined, classifier: { model: at('bundle') } });
  const other = fakeOpener();
  const { batch: _batch, ...usual } = words('usual');
  await runFake(usual, other.open);
  expect(other.opened.options).toMatchObject({ batch: 5 });
});
