// The graph that a state dict belongs to is the one that made it, up to what shapes do not tell.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffSides } from '../../../compiler/diff/diff.ts';
import { sideOfTensors } from '../../../engine/diff/checkpoint-side.ts';
import { admGraphUpTo } from '../../arbitrary-adm-graph.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { sideOf } from '../../fixtures/diff-sides.ts';
import { ALL_NAMES, GOLDEN, goldenGraph } from '../../golden-cases.ts';
import { unetc } from '../../unetc.ts';

test.each(ALL_NAMES)('%s, from what PyTorch saved', (name) => {
  const dict: Readonly<Record<string, readonly number[]>> = JSON.parse(
    readFileSync(new URL(`${name}/state-dict.json`, GOLDEN), 'utf8'),
  );
  const { side } = sideOfTensors(new Map(Object.entries(dict)), name);
  expect(side.graph).not.toBeNull();
  expect(diffSides(sideOf(goldenGraph(name)), side).findings).toEqual([]);
});

test.each([
  ['plain, half as many out', { in_channels: 4, out_channels: 2 }, {}],
  [
    'super-resolution, more out',
    { in_channels: 1, out_channels: 3 },
    { super_resolution: { low_res_size: 4 } },
  ],
])('channels that two readings make: %s', (_, channels, more) => {
  const unet = { model_channels: 32, num_res_blocks: 1, attention_resolutions: [], channel_mult: [1] };
  const made = sideOf({ version: 1, name: 'x', image_size: 16, unet: { ...unet, ...channels }, ...more });
  const { side } = sideOfTensors(new Map(made.parameters.map(({ name, shape }) => [name, shape])), 'x');
  expect(diffSides(made, side).findings).toEqual([]);
});

test('a state dict as JSON is a side', async () => {
  const { exit, stdout } = await unetc('diff', 'test/golden/tiny-film/state-dict.json', 'graphs/mnist.json');
  expect(exit).toBe(1);
  expect(stdout).toContain('weights/added breaking');
  const same = await unetc('diff', ...Array(2).fill('test/golden/tiny-film/state-dict.json'));
  expect([same.exit, same.stdout]).toEqual([0, expect.stringContaining('no changes')]);
});

test.each([
  ['compact', arbitraryCompactGraph],
  ['adm', admGraphUpTo(16)],
  ['explicit', arbitraryExplicitGraph],
])('arbitrary graphs of the %s form', (_, arbitrary) => {
  fc.assert(
    fc.property(arbitrary, (file) => {
      const made = sideOf(file);
      const { side } = sideOfTensors(new Map(made.parameters.map(({ name, shape }) => [name, shape])), 'x');
      expect(side.graph).not.toBeNull();
      expect(diffSides(made, side).findings).toEqual([]);
    }),
    { numRuns: 100, seed: 5 },
  );
});
