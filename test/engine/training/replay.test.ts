// Files of steps that cannot be replayed are told when they are opened, before a step is taken.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import { wantedBy } from '../../../engine/data/open-data.ts';
import { graphSource } from '../../../engine/model/model-source.ts';
import { openReplay } from '../../../engine/training/replay.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { tinyGraph } from '../../fixtures/tiny-training.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const { graph } = graphSource(tinyGraph(), 'g.json');

/** Opens a file that has these tensors of two samples. */
function open(names: readonly string[]) {
  const tensors = names.map((name) => {
    const isList = name.endsWith('timesteps');
    const shape = isList ? [2] : [2, 1, 4, 4];
    return [name, { shape, data: new Float32Array(isList ? 2 : 32) }] as const;
  });
  fs.writeFileSync(at('r.safetensors'), writeTensors(new Map(tensors)));
  return openReplay(at('r.safetensors'), wantedBy(graph), graph);
}

const step = (number: number) => ['x_start', 'noise', 'timesteps'].map((name) => `${number}.${name}`);

test('a file of steps without a gap is opened, whatever else is in it', () => {
  const replay = open([...step(0), ...step(1), '7.loss', 'x_start']);
  expect([replay.steps, replay.batch]).toEqual([2, 2]);
  replay.close();
});

test.each<readonly [string, readonly string[], string]>([
  ['no first step', step(1), 'it has no "0.x_start"'],
  [
    'a step that is missing',
    [...step(0), ...step(2)],
    'it has "2.x_start", and no "1.x_start"; number the steps',
  ],
  [
    'a step without noise',
    [...step(0), '1.x_start', '1.timesteps'],
    '"1.noise" is missing; give it for every step',
  ],
  ['a step without timesteps', [...step(0), '1.x_start', '1.noise'], '"1.timesteps" is missing'],
])('%s is refused', (_, names, said) => {
  expect(() => open(names)).toThrow(said);
});
