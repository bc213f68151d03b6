// Runs that begin with the weights of another project's checkpoint: under a prefix, a part of a file, in float16; and checkpoints of
// a model with other classes or channels, which are refused with the tensors that differ.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { batchesBy, train } from '../../../engine/api.ts';
import type { TrainOptions } from '../../../engine/training/entry.ts';
import { initialWeights } from '../../../engine/training/init.ts';
import { float32ToFloat16 } from '../../../runtime/weights/dtypes.ts';
import { safetensorsChunks, type TensorToWrite } from '../../../runtime/weights/safetensors-write.ts';
import { tinyGraph, writeTinyImages } from '../../fixtures/tiny-training.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const drawn = (text = tinyGraph()) => initialWeights(loadGraph(text, 'g').graph, 7);

function write(file: string, prefix: string, half = false, text?: string): void {
  const tensors = [...drawn(text)].map(([name, { shape, data }]): TensorToWrite => {
    return half
      ? { name: `${prefix}${name}`, shape, dtype: 'F16', data: () => float32ToFloat16(data) }
      : { name: `${prefix}${name}`, shape, dtype: 'F32', data: () => data };
  });
  fs.writeFileSync(at(file), Buffer.concat([...safetensorsChunks(tensors, {})]));
}

const settings = { batch: 1, steps: 1, lr: 1e-6, reference: true };
const run = async (
  weights: string,
  graph = tinyGraph(),
  data: TrainOptions['data'] = at('d.safetensors'),
) => {
  await using running = train(graph, { ...settings, data, weights });
  for await (const _ of running);
  return running.weights();
};

beforeEach(() => writeTinyImages(at('d.safetensors'), 2));

describe('begins with', () => {
  test.each([
    ['names behind a prefix', 'module.', false, ''],
    ['a part of a file', 'ema.model.', false, '#ema.model'],
    ['tensors of float16', '', true, ''],
  ])('%s', async (_, prefix, half, key) => {
    write('w.safetensors', prefix, half);
    const found = await run(`${at('w.safetensors')}${key}`);
    for (const [name, { data }] of drawn()) {
      const largest = found.get(name)!.data.reduce((most, v, i) => Math.max(most, Math.abs(v - data[i]!)), 0);
      // a step of AdamW is as long as its learning rate, and float16 has eleven bits
      expect(largest, name).toBeLessThan(half ? 1e-3 : 2e-6);
    }
  });
});

describe('refuses', () => {
  test.each([
    ['more classes', { num_classes: 4 }, { num_classes: 3 }, /label_emb\.weight.*\[3, 128\].*\[4, 128\]/s],
    [
      'other channels',
      { in_channels: 2, out_channels: 2 },
      {},
      /input_blocks\.0\.0\.weight.*\[32, 1, 3, 3\].*\[32, 2, 3, 3\]/s,
    ],
  ])('%s, with the tensors that differ', async (_, graph, theirs, says) => {
    write('w.safetensors', '', false, tinyGraph(theirs));
    const channels = 'in_channels' in graph ? 2 : 1;
    const x_start = { shape: [1, channels, 4, 4], data: new Float32Array(16 * channels) };
    const data = batchesBy(() => ('num_classes' in graph ? { x_start, y: [0] } : { x_start }));
    await expect(run(at('w.safetensors'), tinyGraph(graph), data)).rejects.toThrow(says);
  });
});
