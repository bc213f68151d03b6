import { expect, test } from 'vitest';
import type { Step, StepResult } from '../../../runtime/sampler/samplers/sampler.ts';
import { takeSteps } from '../../../runtime/sampler/take-steps.ts';

const one = (value: number): Float32Array => Float32Array.of(value);

/** Asks at an index and at the next one, as samplers of second order do, and adds up what it is told. */
function* twice(x: number, index: number): Step {
  const first = yield { index, x: one(x) };
  const second = yield { index: index - 1, x: one(x + first.output[0]!) };
  return { x: one(first.output[0]! + second.output[0]!), guess: second.output, kept: null };
}

test('steps that ask twice take both passes together', async () => {
  const passes: [number, number[]][] = [];
  const results = await takeSteps([twice(1, 5), twice(2, 5)], async (index, rows) => {
    passes.push([index, rows.map((row) => row[0]!)]);
    return rows.map((row) => ({ output: one(10 * row[0]!), gradient: null }));
  });
  expect(passes).toEqual([
    [5, [1, 2]],
    [4, [11, 22]],
  ]);
  expect(results.map(({ x }: StepResult) => x[0])).toEqual([120, 240]);
});

test('steps that ask for different indices are a bug that is named', async () => {
  const taking = takeSteps([twice(1, 5), twice(1, 4)], async (_, rows) =>
    rows.map((output) => ({ output, gradient: null })),
  );
  await expect(taking).rejects.toThrow('internal: the steps of a batch ask for different indices');
});
