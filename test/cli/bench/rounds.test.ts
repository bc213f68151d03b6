import { describe, expect, test } from 'vitest';
import { runRounds } from '../../../cli/bench/rounds.ts';

const quiet = { check: () => undefined, done: () => undefined };
const never = (_: number, error: unknown) => {
  throw error;
};

/** Engines that take so many milliseconds, and the order in which they ran. */
function engines(...costs: readonly number[]) {
  const order: number[] = [];
  const list = costs.map((ms, i) => ({
    run: async () => {
      order.push(i);
      return ms;
    },
  }));
  return { list, order };
}

describe('rounds', () => {
  test('engines run in turn; warm-up is not measured', async () => {
    const { list, order } = engines(5, 7);
    const rounds: number[] = [];
    const times = await runRounds(
      list,
      {
        warmup: 1,
        runs: 2,
        budgetMs: 1000,
        restMs: 0,
        check: () => undefined,
        done: (round) => rounds.push(round),
      },
      never,
    );
    expect(order).toEqual([0, 1, 0, 1, 0, 1]);
    expect(times).toEqual([
      [5, 5],
      [7, 7],
    ]);
    expect(rounds).toEqual([1, 2, 3]);
  });

  test('one that takes long is warmed up once and measured three times', async () => {
    const { list, order } = engines(1, 600);
    const times = await runRounds(list, { warmup: 3, runs: 10, budgetMs: 1000, restMs: 0, ...quiet }, never);
    expect(times.map((ms) => ms?.length)).toEqual([10, 3]);
    expect(order.filter((i) => i === 1)).toHaveLength(4);
  });

  test('no warm-up is possible, and fewer runs than the fewest', async () => {
    const { list } = engines(1);
    expect(await runRounds(list, { warmup: 0, runs: 1, budgetMs: 1000, restMs: 0, ...quiet }, never)).toEqual(
      [[1]],
    );
  });

  test('one that fails is out, the others go on', async () => {
    const { list, order } = engines(1, 1);
    const broken = { run: () => Promise.reject(new Error('lost')) };
    const faults: unknown[] = [];
    const times = await runRounds(
      [list[0]!, broken, list[1]!],
      { warmup: 0, runs: 2, budgetMs: 1000, restMs: 0, ...quiet },
      (i, error) => faults.push([i, String(error)]),
    );
    expect(times).toEqual([[1, 1], null, [1, 1]]);
    expect(faults).toEqual([[1, 'Error: lost']]);
    expect(order).toEqual([0, 1, 0, 1]);
  });

  test('a check that throws ends it, also where an engine failed for the same reason', async () => {
    let aborted = false;
    const check = () => {
      if (aborted) throw new Error('interrupted');
    };
    const dying = {
      run: () => {
        aborted = true;
        return Promise.reject(new Error('killed'));
      },
    };
    const running = runRounds(
      [dying],
      { warmup: 0, runs: 2, budgetMs: 1000, restMs: 0, check, done: () => undefined },
      never,
    );
    await expect(running).rejects.toThrow('interrupted');
  });
});
