// A run of a page on a model that computes nothing: what the worker tells of it, and where it goes on.

import { expect, test } from 'vitest';
import { loadedModel } from '../../runtime/loaded-model.ts';
import { type Job, usualJob } from '../../web/job.ts';
import type { Told } from '../../web/messages.ts';
import { startRun, walk } from '../../web/worker/run.ts';
import { fakeModel } from '../fake-model.ts';
import { digitsWith } from './page-models.ts';

const FACTS = { in_channels: 1, out_channels: 2, image_size: [4, 6], num_classes: 10, batch: 2 };
const PAGE = digitsWith(FACTS);
const JOB: Job = {
  ...usualJob(PAGE),
  seeds: [3, 1, 8],
  labels: [7, 2],
  sampler: { kind: 'ddpm' },
  steps: '4',
};

function model() {
  const { diffusion } = PAGE;
  const parts = { name: 'fake', adapter: 'none', notes: [], close() {} };
  return loadedModel({ ...parts, diffusion, model: fakeModel(FACTS) });
}

/** Pictures and numbers by position, of all that was told. */
function drawn(told: readonly Told[]) {
  return told
    .flatMap((one) => (one.kind === 'sample' ? [{ ...one.placed, values: one.values }] : []))
    .sort((a, b) => a.position - b.position);
}

test('every step is told with the guesses that it made, and every picture with its numbers', async () => {
  const told: Told[] = [];
  await walk(startRun(1, JOB), { model: model(), page: PAGE }, new AbortController().signal, (one) =>
    told.push(one),
  );
  const steps = told.flatMap((one) => (one.kind === 'step' ? [one] : []));
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  expect(steps.map(({ guesses }) => guesses.map(({ position }) => position))).toEqual([
    ...Array.from({ length: 4 }, () => [0, 1]),
    ...Array.from({ length: 4 }, () => [2]),
  ]);
  expect(steps.map(({ done }) => done)).toEqual([2, 4, 6, 8, 9, 10, 11, 12]);
  expect(steps[0]!.guesses[0]!.picture).toMatchObject({ width: 6, height: 4, data: { length: 96 } });
  expect(drawn(told).map(({ position, values }) => [position, values.length])).toEqual([
    [0, 24],
    [1, 24],
    [2, 24],
  ]);
});

test.each([1, 3, 6])('a run that is stopped behind step %i goes on to the same pictures', async (stop) => {
  const whole: Told[] = [];
  const page = { model: model(), page: PAGE };
  await walk(startRun(1, JOB), page, new AbortController().signal, (one) => whole.push(one));
  const told: Told[] = [];
  const run = startRun(2, JOB);
  const stopping = new AbortController();
  let steps = 0;
  const tell = (one: Told) => {
    told.push(one);
    if (one.kind === 'step' && ++steps === stop) stopping.abort(new Error('stopped'));
  };
  await expect(walk(run, page, stopping.signal, tell)).rejects.toThrow('stopped');
  expect(drawn(told)).toHaveLength(stop > 4 ? 2 : 0);
  await walk(run, page, new AbortController().signal, (one) => told.push(one));
  expect(told.filter(({ kind }) => kind === 'step')).toHaveLength(8);
  expect(drawn(told)).toEqual(drawn(whole));
});
