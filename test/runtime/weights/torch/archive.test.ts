import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../../runtime/bytes.ts';
import { openWeights } from '../../../../runtime/host/node/open-weights.ts';
import { wholeFile } from '../../../../runtime/weights/checkpoint.ts';
import { archiveWeights } from '../../../../runtime/weights/torch/archive.ts';
import { faultOf, onlyFaults } from '../../../fixtures/faults.ts';
import { dict, floats, tensor, torchArchive, unicode } from '../../../fixtures/torch-archive.ts';

const CHECKPOINTS = 'test/fixtures/checkpoints';

function open(bytes: Uint8Array) {
  return archiveWeights(bytesInMemory(bytes, { kind: 'weights', label: 'w.pt' }), wholeFile('w.pt'));
}

/** Opens and reads every tensor. */
function readAll(bytes: Uint8Array): void {
  const weights = open(bytes);
  for (const { name, shape } of weights.tensors ?? []) weights.read(name, shape);
}

test('the trained digit model, as torch.save wrote it', () => {
  const weights = openWeights('test/golden/mnist/model.pt');
  const tensors = weights.tensors ?? [];
  expect(tensors.length).toBe(167);
  expect(tensors.slice(0, 2)).toEqual([
    { name: 'time_embed.0.weight', shape: [128, 32] },
    { name: 'time_embed.0.bias', shape: [128] },
  ]);
  const hash = createHash('sha256');
  for (const { name, shape } of tensors) hash.update(weights.read(name, shape));
  weights.close();
  // Of the same bytes in the same order, as Python's zipfile and numpy read them.
  expect(hash.digest('hex')).toBe('d50f8219eff9df76eeb855c88d0c656fa4243a9fd632c992f84522004378d262');
});

test.each(['mnist', 'mnist-sr'])('%s.safetensors holds the same values as its archive', (name) => {
  const weights = openWeights(`graphs/${name}.safetensors`);
  const hash = createHash('sha256');
  for (const tensor of weights.tensors ?? []) hash.update(weights.read(tensor.name, tensor.shape));
  weights.close();
  expect(hash.digest('hex')).toBe(
    name === 'mnist'
      ? 'd50f8219eff9df76eeb855c88d0c656fa4243a9fd632c992f84522004378d262'
      : 'e7f33c882885fcd9f0eb8ad1015bd8274c205291a3960119a6b19b58c143b389',
  );
});

describe('archives pickled by CPython (fixtures/checkpoints/make.py)', () => {
  const EXPECTED = {
    matrix: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    transposed: [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
    slice: [5, 6, 9, 10],
    every_second: [1, 3, 5],
    repeated: [3, 3, 3, 3],
    scalar: [11],
    empty: [],
    half: [0.5, -1, 65504],
    brain: [1, -2, Number.POSITIVE_INFINITY],
    double: [Math.fround(0.1), Number.POSITIVE_INFINITY],
  };

  test.each(['protocol-2', 'protocol-3', 'protocol-4', 'protocol-5', 'deflated', 'training'])(
    '%s',
    (name) => {
      const weights = openWeights(`${CHECKPOINTS}/${name}.pt`);
      const shapes = new Map(weights.tensors?.map((tensor) => [tensor.name, tensor.shape]));
      expect([...shapes.keys()]).toEqual([...Object.keys(EXPECTED), 'steps']);
      expect(shapes.get('empty')).toEqual([0, 5]);
      for (const [key, values] of Object.entries(EXPECTED)) {
        expect([...weights.read(key, shapes.get(key) ?? [])]).toEqual(values);
      }
      expect(faultOf('weights', () => weights.read('steps', []))).toContain(
        'tensor "steps" is of type I64; weights are',
      );
      expect(weights.notes).toEqual(
        name === 'training'
          ? ['took the 11 tensors under "ema"; left out "epoch", "optimizer", "raw"']
          : undefined,
      );
      weights.close();
    },
  );
});

describe('storages', () => {
  const view = { count: 4, shape: [4], stride: [1] };

  test('big-endian archives are read', () => {
    const swapped = Uint8Array.of(0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0);
    const w = tensor({ count: 2, shape: [2], stride: [1] });
    const big = { 'a/byteorder': new TextEncoder().encode('big') };
    expect([...open(torchArchive(dict({ w }), { 0: swapped }, big)).read('w', [2])]).toEqual([1, -2]);
  });

  test('two tensors on one storage, and a long way around in four dimensions', () => {
    const values = floats(...Array.from({ length: 24 }, (_, i) => i));
    const a = tensor({ count: 24, offset: 20, shape: [4], stride: [1] });
    const b = tensor({ count: 24, shape: [4, 1, 3, 2], stride: [1, 99, 4, 12] });
    const weights = open(torchArchive(dict({ a, b }), { 0: values }));
    expect([...weights.read('a', [4])]).toEqual([20, 21, 22, 23]);
    const expected = [0, 1, 2, 3].flatMap((i) =>
      [0, 1, 2].flatMap((j) => [0, 1].map((k) => i + 4 * j + 12 * k)),
    );
    expect([...weights.read('b', [4, 1, 3, 2])]).toEqual(expected);
  });

  test.each<[string, string, Readonly<Record<string, Uint8Array>>, string]>([
    ['missing', tensor(view), {}, 'its storage data/0 is not in the archive'],
    ['too short', tensor(view), { 0: floats(1, 2, 3) }, 'its storage data/0 has 12 bytes instead of 16'],
    [
      'elsewhere',
      tensor({ ...view, key: '../data.pkl' }),
      { 0: floats(1) },
      'data/../data.pkl is not in the archive',
    ],
    [
      'too small for the shape',
      tensor({ ...view, shape: [5] }),
      { 0: floats(1, 2, 3, 4) },
      'reaches element 5 of a storage of 4',
    ],
    [
      'too small for the offset',
      tensor({ ...view, offset: 1 }),
      { 0: floats(1, 2, 3, 4) },
      'reaches element 5 of a storage of 4',
    ],
    [
      'too small for the stride',
      tensor({ ...view, stride: [2] }),
      { 0: floats(1, 2, 3, 4) },
      'reaches element 7 of a storage of 4',
    ],
    [
      'spread without end',
      tensor({ count: 4, shape: [0x7fffffff, 0x7fffffff], stride: [0, 0] }),
      { 0: floats(1, 2, 3, 4) },
      'has more elements than can be counted',
    ],
  ])('%s', (_, w, storages, message) => {
    expect(faultOf('weights', () => open(torchArchive(dict({ w }), storages)))).toContain(`tensor "w": `);
    expect(faultOf('weights', () => open(torchArchive(dict({ w }), storages)))).toContain(message);
  });

  test('a tensor is asked for by its name and its number of elements', () => {
    const weights = open(torchArchive(dict({ w: tensor(view) }), { 0: floats(1, 2, 3, 4) }));
    expect(faultOf('weights', () => weights.read('v', [4]))).toContain('there is no tensor "v"');
    expect(faultOf('weights', () => weights.read('w', [5]))).toContain('tensor "w" is [4], not [5]');
  });
});

describe('archives of something else', () => {
  const w = dict({ w: tensor({ count: 1, shape: [1], stride: [1] }) });
  const one = { 0: floats(1) };
  const empty = new Uint8Array(0);
  test.each<[string, Uint8Array, string]>([
    ['two pickles', torchArchive(w, one, { 'b/data.pkl': empty }), 'not one of torch.save'],
    ['TorchScript', torchArchive(w, one, { 'a/constants.pkl': empty }), 'this is a TorchScript program'],
    [
      'TorchScript with code',
      torchArchive(w, one, { 'a/code/x.py': empty }),
      'this is a TorchScript program',
    ],
    [
      'an odd byte order',
      torchArchive(w, one, { 'a/byteorder': new TextEncoder().encode('pdp') }),
      'its byte order is "pdp"',
    ],
  ])('%s', (_, bytes, message) => {
    expect(faultOf('weights', () => open(bytes))).toContain(message);
  });
});

describe('damaged files', () => {
  const small = readFileSync(`${CHECKPOINTS}/protocol-2.pt`);
  const deflated = readFileSync(`${CHECKPOINTS}/deflated.pt`);

  test('cut anywhere, it is refused', () => {
    for (let length = 0; length < small.length; length++)
      faultOf('weights', () => readAll(small.subarray(0, length)));
  });

  test('with any one byte changed, it is read or refused', () => {
    for (let at = 0; at < small.length; at++) {
      const bytes = Uint8Array.from(small);
      bytes[at]! ^= 0xff;
      onlyFaults('weights', () => readAll(bytes));
    }
  });

  test.each([
    ['stored', small],
    ['deflated', deflated],
  ])('with several bytes changed, it is read or refused (%s)', (_, file) => {
    const change = fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const bytes = Uint8Array.from(file);
        for (const [at, bits] of changes) bytes[at]! ^= bits;
        onlyFaults('weights', () => readAll(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});

test('a tensor alone under a name that is no text is not taken', () => {
  const one = tensor({ count: 1, shape: [1], stride: [1] });
  expect(faultOf('weights', () => open(torchArchive(`}K\x01${one}s`, { 0: floats(1) })))).toContain(
    'its keys are "1"',
  );
  expect(open(torchArchive(`}K\x01${one}s${unicode('w')}${one}s`, { 0: floats(1) })).notes).toEqual([
    'left out "1", which are no tensors',
  ]);
});
