// `unetc init`: words, the file and its faults. Its numbers are in engine/training/init.test.ts.

import fs from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { InitResult } from '../../engine/training/init.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
beforeEach(() => fs.writeFileSync(at('graph.json'), goldenGraph('tiny-1d')));

test('writes every parameter in checkpoint order, the same bytes for the same seed', async () => {
  const call = (file: string, seed: string) => ['init', at('graph.json'), '--seed', seed, '-o', at(file)];
  const result = await unetcJson<InitResult>(...call('a.safetensors', '7'));
  const bytes = fs.readFileSync(at('a.safetensors'));
  const tensors = readTensors(bytes, { kind: 'weights', label: 'a' });
  const { graph } = loadGraph(goldenGraph('tiny-1d'), 'tiny-1d');
  const found = [...tensors].map(([name, { shape }]) => ({ name, shape }));
  expect(found).toEqual(parameters(graph));
  expect(result).toMatchObject({ exit: 0, seed: 7, tensors: found.length });
  await unetc(...call('b.safetensors', '7'));
  expect(fs.readFileSync(at('b.safetensors')).equals(bytes)).toBe(true);
  await unetc(...call('c.safetensors', '8'));
  expect(fs.readFileSync(at('c.safetensors')).equals(bytes)).toBe(false);
});

test.each([
  [['--seed', '0-3'], "--seed: found '0-3', expected one whole number, such as 0"],
  [['--seed', 'x'], '--seed'],
])('refuses %j', async (words, message) => {
  const { exit, stderr } = await unetc('init', at('graph.json'), '-o', at('w.safetensors'), ...words);
  expect(exit).toBe(2);
  expect(stderr).toContain(message);
});

test('refuses another name than that of a safetensors file', async () => {
  const { exit, stderr } = await unetc('init', at('graph.json'), '-o', at('w.pt'));
  expect(exit).toBe(2);
  expect(stderr).toContain('let its name end in .safetensors');
});
