import { expect, test } from 'vitest';
import { fnv1a32, hashTensor, hashWeights } from '../../../runtime/weights/hash.ts';
import { faultOf } from '../../fixtures/faults.ts';

/** The formula as it is defined, in whole numbers of any size: u of element i. */
function definition(name: string, seed: number, i: number): number {
  const M = 2n ** 32n;
  let h = 0x811c9dc5n;
  for (const byte of new TextEncoder().encode(name)) h = ((h ^ BigInt(byte)) * 0x01000193n) % M;
  h = (h + BigInt(seed) * 0x85ebca6bn) % M;
  let x = (BigInt(i) * 0x9e3779b9n + h) % M;
  x ^= x >> 16n;
  x = (x * 0x85ebca6bn) % M;
  x ^= x >> 13n;
  x = (x * 0xc2b2ae35n) % M;
  x ^= x >> 16n;
  return Number(x) / 2 ** 31 - 1;
}

const INDICES = [0, 1, 2, 1000, 65537, 299_999];

test.each([
  ['out.2.bias', [300_000], (u: number) => 0.1 * u],
  ['label_emb.bias', [300_000], (u: number) => 0.1 * u],
  ['out.0.weight', [300_000], (u: number) => 1 + 0.2 * u],
  ['label_emb.weight', [1000, 300], (u: number) => u],
  ['input_blocks.0.0.weight', [100, 100, 30], (u: number) => u * Math.sqrt(3 / 3000)],
  ['größe.weight', [1000, 300], (u: number) => u * Math.sqrt(3 / 300)],
])('%s is the formula', (name, shape, value) => {
  for (const seed of [0, 1, 123456789, 4294967295]) {
    const values = hashTensor(name, shape, seed);
    expect(values.length).toBe(300_000);
    for (const i of INDICES) expect(values[i]).toBe(Math.fround(value(definition(name, seed, i))));
  }
});

test('FNV-1a of its published vectors', () => {
  expect(fnv1a32('')).toBe(0x811c9dc5);
  expect(fnv1a32('a')).toBe(0xe40c292c);
  expect(fnv1a32('foobar')).toBe(0xbf9cf968);
});

test('hash:SEED makes any tensor that is asked for', () => {
  const source = hashWeights('hash:7');
  expect(source?.tensors).toBeNull();
  expect(source?.read('a.bias', [3])).toEqual(hashTensor('a.bias', [3], 7));
  expect(hashWeights('model.pt')).toBeNull();
});

test.each(['hash:', 'hash:x', 'hash:-1', 'hash:1.5', 'hash:4294967296', 'hash: 1', 'hash:1e3'])(
  '%s is refused',
  (spec) => {
    expect(faultOf('weights', () => hashWeights(spec))).toBe(
      `${spec}: the seed must be a whole number from 0 to 4294967295, as in hash:1`,
    );
  },
);
