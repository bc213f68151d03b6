import { describe, expect, test } from 'vitest';
import { findShard } from '../../../cli/words/shard.ts';

const SLURM = { SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_MAX: '4', SLURM_ARRAY_TASK_COUNT: '4' };

describe('the shard', () => {
  test.each([
    ['0/3', 0, 3],
    ['2/3', 2, 3],
    ['3/3', 0, 3],
    ['1/1', 0, 1],
  ])('%s is part %i of %i', (word, index, count) => {
    expect(findShard(word, {})).toEqual({ index, count, from: '--shard' });
  });

  test('is found in the environment, which is named', () => {
    expect(findShard(undefined, {})).toEqual({ index: 0, count: 1, from: null });
    expect(findShard(undefined, { ...SLURM, SLURM_ARRAY_TASK_ID: '3' })).toEqual({
      index: 2,
      count: 4,
      from: 'SLURM_ARRAY_TASK_ID',
    });
    const steps = { SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_MAX: '20', SLURM_ARRAY_TASK_STEP: '10' };
    expect(findShard(undefined, { ...steps, SLURM_ARRAY_TASK_ID: '10' })).toMatchObject({
      index: 1,
      count: 3,
    });
    expect(findShard(undefined, { JOB_COMPLETION_INDEX: '4', JOB_COMPLETIONS: '5' })).toEqual({
      index: 4,
      count: 5,
      from: 'JOB_COMPLETION_INDEX and JOB_COMPLETIONS',
    });
    expect(findShard(undefined, { RANK: '1', WORLD_SIZE: '2' })).toEqual({
      index: 1,
      count: 2,
      from: 'RANK and WORLD_SIZE',
    });
  });

  test('of the option goes before that of the environment, and none is the whole job', () => {
    expect(findShard('1/5', { RANK: '0', WORLD_SIZE: '2' })).toMatchObject({ index: 1, count: 5 });
    expect(findShard('none', { RANK: '1', WORLD_SIZE: '2' })).toMatchObject({ index: 0, count: 1 });
    expect(findShard(undefined, { RANK: '1' })).toMatchObject({ count: 1 });
  });

  test.each<[string | undefined, Record<string, string>, string]>([
    ['4/3', {}, "found '4/3'; write i/n"],
    ['0/0', {}, '--shard'],
    ['half', {}, '--shard'],
    [undefined, { JOB_COMPLETION_INDEX: '1' }, 'set JOB_COMPLETIONS'],
    [undefined, { RANK: '2', WORLD_SIZE: '2' }, 'RANK is 2 and WORLD_SIZE is 2'],
    [undefined, { RANK: 'x', WORLD_SIZE: '2' }, "RANK: found 'x'"],
    [undefined, { ...SLURM, SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_ID: '4' }, 'no even steps'],
  ])('%s of %o is refused', (word, env, message) => {
    expect(() => findShard(word, env)).toThrow(message);
  });
});
