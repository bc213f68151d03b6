import { describe, expect, test } from 'vitest';
import {
  bytesIn,
  counted,
  factsOf,
  loadedOf,
  obstacle,
  seconds,
  sentence,
  troubleOf,
} from '../../web/page/words.ts';
import { DIGITS, digitsWith } from './page-models.ts';

describe('why nothing can be drawn', () => {
  const fine = { protocol: 'https:', isSecure: true, hasGpu: true };
  test.each([
    [fine, null],
    [{ ...fine, protocol: 'file:' }, 'This page was opened as a file'],
    [{ ...fine, isSecure: false, hasGpu: false }, 'This address is not secure'],
    [{ ...fine, hasGpu: false }, 'This browser has no WebGPU'],
  ])('%j', (here, title) => {
    expect(obstacle(here)?.title ?? null).toBe(title);
  });
});

test('every fault has a title, what to do, and its own words', () => {
  for (const kind of ['weights', 'input', 'bundle', 'adapter', 'gpu', 'output', 'internal'] as const) {
    const trouble = troubleOf({ kind, message: 'what happened' });
    expect(trouble.title).not.toBe('');
    expect(trouble.text.length).toBeGreaterThan(10);
    expect(trouble.detail).toBe('what happened');
  }
  expect(troubleOf({ kind: 'adapter', message: 'no GPU adapter: the browser knows none' }).title).toContain(
    'No GPU',
  );
  expect(troubleOf({ kind: 'adapter', message: 'there is no WebGPU here' }).title).toContain('no WebGPU');
});

test('numbers as people read them', () => {
  expect([bytesIn(900), bytesIn(2_402_108), bytesIn(2.2e9), bytesIn(1e5, 2e6)]).toEqual([
    '1 kB',
    '2.4 MB',
    '2.20 GB',
    '0.1 MB',
  ]);
  expect(loadedOf(1_234_567, 2_402_108)).toBe('1.2 of 2.4 MB');
  expect([counted(1, 'picture'), counted(2, 'picture')]).toEqual(['1 picture', '2 pictures']);
  expect([seconds(4.24), seconds(200.4)]).toEqual(['4.2 s', '3:20 min']);
  expect(sentence('it goes on')).toBe('It goes on.');
});

test('a model in a line', () => {
  const plain = (text: string) => text.replaceAll('\u202f', '');
  expect(plain(factsOf(DIGITS))).toBe('28×28 · grey · 10 classes · trained with 1000 steps of noise');
  const large = digitsWith({
    in_channels: 3,
    image_size: [64, 128],
    low_res_size: [16, 32],
    num_classes: null,
  });
  expect(plain(factsOf(large))).toBe('32×16 to 128×64 · colour · trained with 1000 steps of noise');
});
