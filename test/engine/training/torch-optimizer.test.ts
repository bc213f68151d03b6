// The original's optimizer as a run goes on with it: an entry a parameter, or the flat tensors of runs in float16.

import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { graphSource } from '../../../engine/model/model-source.ts';
import { readTorchOptimizer } from '../../../engine/training/torch-optimizer.ts';
import { elements } from '../../../runtime/tensor.ts';
import { openFakeStep } from '../../fake-step.ts';
import { tinyGraph } from '../../fixtures/tiny-training.ts';
import { dict, floats, latin1, tensor, torchArchive } from '../../fixtures/torch-archive.ts';
import { optimizerArchive, type StateEntry } from '../../fixtures/torch-optimizer.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const source = graphSource(tinyGraph(), 'g.json');
const named = parameters(source.graph);
/** A number for every element of parameter k. */
const valuesOf = (k: number, scale: number): readonly number[] =>
  Array.from({ length: elements(named[k]!.shape) }, (_, i) => scale * (k + (i % 5) / 8));
const all = named.map((_, k) => k);

async function reading(bytes: Uint8Array, name = 'opt010000.pt') {
  fs.writeFileSync(at(name), bytes);
  const read = (parameter: string) =>
    new Float32Array(elements(named.find(({ name }) => name === parameter)!.shape));
  const step = await openFakeStep()(
    { source, batch: 1, microbatch: 1, frozen: [], clips: false, emas: 0, read, device: {}, reference: true },
    { note() {}, stage() {} },
  );
  const place = await readTorchOptimizer({ kind: 'weights', label: at(name) }, step);
  return { place, step };
}

/** The flat entry of some parameters. */
function flat(indices: readonly number[], shape: (length: number) => readonly number[]): StateEntry {
  const exp_avg = indices.flatMap((k) => valuesOf(k, 1));
  return { shape: shape(exp_avg.length), exp_avg, exp_avg_sq: indices.flatMap((k) => valuesOf(k, 2)) };
}

const isFlat = (k: number): boolean => named[k]!.shape.length <= 1;

test.each([
  [
    'an entry a parameter',
    all.map((k) => ({ shape: named[k]!.shape, exp_avg: valuesOf(k, 1), exp_avg_sq: valuesOf(k, 2) })),
  ],
  ["improved-diffusion's one tensor of float16", [flat(all, (length) => [length])]],
  [
    "guided-diffusion's two: vectors, then the others",
    [
      flat(all.filter(isFlat), (length) => [length]),
      flat(
        all.filter((k) => !isFlat(k)),
        (length) => [1, length],
      ),
    ],
  ],
])('%s', async (_, entries) => {
  for (const old of [false, true]) {
    const { place, step } = await reading(optimizerArchive(entries, 10_001, { old }));
    expect(place).toEqual({ position: 10_000, updates: 10_001 });
    const [m, v] = [await step.read({ kind: 'exp_avg' }), await step.read({ kind: 'exp_avg_sq' })];
    for (const k of all) {
      expect(Array.from(m.get(named[k]!.name)!.data), named[k]!.name).toEqual(valuesOf(k, 1));
      expect(Array.from(v.get(named[k]!.name)!.data), named[k]!.name).toEqual(valuesOf(k, 2));
    }
  }
});

describe('refuses', () => {
  const entry = (shape: readonly number[]): StateEntry => {
    const values = Array.from({ length: elements(shape) }, () => 1);
    return { shape, exp_avg: values, exp_avg_sq: values };
  };
  const weights = dict({ 'out.bias': tensor({ count: 1, shape: [1], stride: [1] }) });

  test.each<[string, Uint8Array, string, string | undefined]>([
    [
      'another model',
      optimizerArchive([entry([2]), entry([3]), entry([4])], 1),
      'it has the moments of 3 tensors, and the model',
      undefined,
    ],
    ['another size', optimizerArchive([entry([2])], 1), 'entry 0 of its state has 2 values, and', undefined],
    ['weights', torchArchive(weights, { 0: floats(1) }), 'this is no state of an optimizer', undefined],
    [
      'no archive',
      latin1('\x80\x02}.'),
      'this is no archive as torch.save writes it since PyTorch 1.6',
      undefined,
    ],
    ['a name without its step', optimizerArchive([entry([2])], 1), 'name the file so', 'optimizer.pt'],
  ])('%s', async (_, bytes, message, name) => {
    await expect(reading(bytes, name)).rejects.toThrow(message);
  });
});
