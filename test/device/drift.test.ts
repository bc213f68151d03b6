// `unetc drift` on the adapter: the digit model with other heads.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DriftResult } from '../../engine/drift/drift.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetcJson } from '../unetc.ts';

const at = temporaryFolder();

test('between two and four heads the digit model parts in its first attention, and in no bit before', async () => {
  writeFileSync(
    at('four.json'),
    readFileSync('graphs/mnist.json', 'utf8').replace('"num_heads": 2', '"num_heads": 4'),
  );
  const result = await unetcJson<DriftResult>(
    ...['drift', 'graphs/mnist.json', at('four.json'), '--weights', 'graphs/mnist.safetensors'],
  );
  expect(result).toMatchObject({
    exit: 0,
    first: {
      path: 'input_blocks.5',
      layers: [{ path: 'input_blocks.5.1', a: 'attention 64 heads 2', b: 'attention 64 heads 4' }],
    },
  });
  expect(result.blocks.slice(0, 5).map(({ relative_l2 }) => relative_l2)).toEqual([0, 0, 0, 0, 0]);
});
