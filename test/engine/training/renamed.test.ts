// A run that goes on with a changed graph: parameters, moving averages and moments by a rename map.

import { writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { diffSides } from '../../../compiler/diff/diff.ts';
import { toExplicit } from '../../../compiler/graph/explicit.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { train } from '../../../engine/api.ts';
import { writeRenameMap } from '../../../engine/checkpoint/rename-map.ts';
import type { TrainOptions } from '../../../engine/training/entry.ts';
import { readNamed } from '../../../engine/training/read-checkpoint.ts';
import { sideOf } from '../../fixtures/diff-sides.ts';
import { tinyGraph, writeTinyImages } from '../../fixtures/tiny-training.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const OLD = tinyGraph();
/** With one attention more in the middle, which is inert while it is zero and moves the names behind it. */
const NEW = (() => {
  const { blocks, ...rest } = toExplicit(loadGraph(OLD, 'old').graph);
  const [res, attention, last] = blocks.middle.layers;
  return JSON.stringify({
    ...rest,
    blocks: { ...blocks, middle: { layers: [res, attention, attention, last] } },
  });
})();
const sides = { a: sideOf(OLD), b: sideOf(NEW) };

const run = async (graph: string, output: string, more: Partial<TrainOptions>) => {
  const settings = { data: at('d.safetensors'), batch: 2, lr: 1e-3, ema_rate: 0.9, reference: true };
  await using running = train(graph, { ...settings, output: at(output), ...more });
  for await (const _ of running);
};
const file = (folder: string, name: string, prefix: string, side: 'a' | 'b') =>
  readNamed({ kind: 'input', label: at(folder, name) }, prefix, sides[side].parameters);

const map = diffSides(sides.a, sides.b).map!;
const named = (name: string) => map.renames.get(name) ?? name;

beforeEach(async () => {
  writeTinyImages(at('d.safetensors'), 2);
  writeRenameMap(at('map.json'), map, { a: 'old', b: 'new' });
  await run(OLD, 'old', { steps: 2 });
});

const earlier = (folder: string) => ({
  weights: at(folder, 'model000002.safetensors'),
  optimizer: at(folder, 'opt000002.safetensors'),
  renameMap: at('map.json'),
});

test('the step behind the change is that of the old graph, where what is new is inert', async () => {
  expect([map.renames.get('middle_block.2.in_layers.2.weight'), map.zeros.length]).toEqual([
    'middle_block.3.in_layers.2.weight',
    6,
  ]);
  await run(NEW, 'new', { steps: 3, ...earlier('old') });
  await run(OLD, 'old', { steps: 3 });
  for (const [name, prefix] of [
    ['model000003', ''],
    ['ema_0.9_000003', ''],
    ['opt000003', 'exp_avg.'],
    ['opt000003', 'exp_avg_sq.'],
  ] as const) {
    const [before, after] = [
      file('old', `${name}.safetensors`, prefix, 'a'),
      file('new', `${name}.safetensors`, prefix, 'b'),
    ];
    for (const [parameter, { data }] of before) {
      expect(after.get(named(parameter))!.data, `${name} ${parameter}`).toEqual(data);
    }
  }
  // one step from moments of zero
  const fresh = file('new', 'opt000003.safetensors', 'exp_avg_sq.', 'b').get(map.zeros.at(-1)!)!;
  expect(fresh.data.every((value) => value >= 0 && value < 1e-3)).toBe(true);
});

test('without the map, or with an optimizer whose moments have no names, it is refused', async () => {
  const { renameMap, ...without } = earlier('old');
  await expect(run(NEW, 'new', { steps: 3, ...without })).rejects.toThrow(/missing/);
  writeFileSync(at('opt000002.pt'), 'x');
  const torch = { ...without, renameMap, optimizer: at('opt000002.pt') };
  await expect(run(NEW, 'new', { steps: 3, ...torch })).rejects.toThrow(/moments by number and not by name/);
});
