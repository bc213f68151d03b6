import { expect, test } from 'vitest';
import { shardAt, shardName, shardRange } from '../../../engine/jobs/shard.ts';

test.each([
  [24, 3],
  [24, 7],
  [5, 8],
  [1, 1],
  [50000, 64],
])('shards of %i samples in %i parts have each position once', (total, count) => {
  let next = 0;
  for (let index = 0; index < count; index++) {
    const [first, end] = shardRange({ index, count, from: null }, total);
    expect(first).toBe(next);
    for (const position of [first, end - 1])
      if (first < end) expect(shardAt(position, count, total)).toBe(index);
    next = end;
  }
  expect(next).toBe(total);
});

test('names tell shards apart', () => {
  expect(shardName({ index: 0, count: 1 })).toBeNull();
  expect(shardName({ index: 2, count: 3 })).toBe('2-of-3');
});
