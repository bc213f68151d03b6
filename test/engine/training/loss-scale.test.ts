// The loss's scale in a run in float16: it grows, falls where gradients overflow, is part of what a run goes on by, and has an end.

import fs from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { silentHost } from '../../../engine/host.ts';
import { graphSource } from '../../../engine/model/model-source.ts';
import type { TrainingOptions } from '../../../engine/training/settings.ts';
import { openTraining, type TrainReport } from '../../../engine/training/train.ts';
import type { TrainJob } from '../../../engine/training/train-job.ts';
import { type FakeStepOptions, openFakeStep } from '../../fake-step.ts';
import { tinyGraph, writeTinyImages } from '../../fixtures/tiny-training.ts';
import { contents, temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
beforeEach(() => writeTinyImages(at('d.safetensors'), 7));

interface Changes extends TrainingOptions, FakeStepOptions {
  readonly precision?: 'f32' | 'f16';
  /** Steps after which the caller leaves off. */
  readonly leave?: number;
}

async function run(out: string, changes: Changes): Promise<readonly TrainReport[]> {
  const { losses: _, overflows: __, onStep: ___, precision = 'f16', leave = 1000, ...training } = changes;
  const job: TrainJob = {
    source: graphSource(tinyGraph(), 'g.json'),
    data: at('d.safetensors'),
    data_options: {},
    ...{ replay: null, weights: null, optimizer: null, allow_unexpected: false, rename_map: undefined },
    training: { batch: 3, log_interval: 1, ema_rate: 0.5, steps: 8, ...training },
    output: { save_interval: 3, sample_interval: 0 },
    validation: {},
    ...{ out: at(out), device: { precision }, reference: true },
  };
  const opened = await openTraining(job, silentHost(), openFakeStep(changes));
  const reports: TrainReport[] = [];
  try {
    for await (const report of opened.reports()) {
      reports.push(report);
      if (reports.length === leave) break;
    }
  } finally {
    await opened.close();
  }
  return reports;
}

/** Gradients that overflow where the loss is multiplied by more than 2^`most`. */
const above = (most: number) =>
  ({ overflows: ({ loss_scale }) => loss_scale! > 2 ** most }) as FakeStepOptions;

function column(name: string): readonly string[] {
  const [header, ...rows] = fs.readFileSync(at('run/progress.csv'), 'utf8').trim().split('\n');
  return rows.map((row) => row.split(',')[header!.split(',').indexOf(name)]!);
}

test('falls until gradients are finite, then grows; a step that overflows changes nothing', async () => {
  const updates: number[] = [];
  const reports = await run('run', {
    lg_loss_scale: 40,
    fp16_scale_growth: 0.25,
    overflows: ({ update, loss_scale }) => {
      updates.push(update);
      return loss_scale! > 2 ** 37;
    },
  });
  expect(reports.map(({ taken }) => taken)).toEqual([false, false, false, true, false, true, true, true]);
  const scales = [39, 38, 37, 37.25, 36.25, 36.5, 36.75, 37];
  expect(reports.map(({ lg_loss_scale }) => lg_loss_scale)).toEqual(scales);
  expect(updates).toEqual([1, 1, 1, 1, 2, 2, 3, 4]);
  expect(column('lg_loss_scale').map(Number)).toEqual(scales);
  expect(column('grad_norm').map((text) => text !== '')).toEqual(reports.map(({ taken }) => taken));
});

test("begins at the original's 20 and grows by its 1e-3; in float32 there is none", async () => {
  expect((await run('run', { steps: 2 })).map(({ lg_loss_scale }) => lg_loss_scale)).toEqual([
    20.001, 20.002000000000002,
  ]);
  const [first] = await run('other', { steps: 1, precision: 'f32' });
  expect(first!.lg_loss_scale).toBe(null);
});

test('goes on to the same bytes wherever the run is left, also among overflows', async () => {
  const settings = { lg_loss_scale: 25, steps: 20, ...above(20.003) };
  await run('whole', settings);
  for (let position = 0; position < 20; position += 3) await run('run', { ...settings, leave: 3 });
  expect(contents(at('run'))).toEqual(contents(at('whole')));
});

test('ends where gradients overflow at every scale, with the kernel that made the first', async () => {
  await expect(run('run', { lg_loss_scale: 2.5, ...above(-1) })).rejects.toMatchObject({
    kind: 'gpu',
    message: expect.stringMatching(
      /^step 3: gradients overflow even of the loss times 2\^0.*was made by a fake kernel at scale 1;.*or in float32/,
    ),
  });
  expect(Object.keys(contents(at('run'))).filter((name) => name.startsWith('model'))).toEqual([
    'model000003.safetensors',
  ]);
});

test('survives losses that are not finite, which are not logged, but not three in a row', async () => {
  const bad = (...steps: number[]): FakeStepOptions => ({
    losses: (step, usual) => (steps.includes(step) ? usual.map(() => Number.NaN) : usual),
    overflows: ({ step }) => steps.includes(step),
  });
  const reports = await run('run', { schedule_sampler: 'loss-second-moment', ...bad(1, 2, 4) });
  expect(reports.filter(({ taken }) => !taken).map(({ step }) => step)).toEqual([1, 2, 4]);
  expect(column('loss').map((text) => text !== '')).toEqual([
    true,
    false,
    false,
    true,
    false,
    true,
    true,
    true,
  ]);
  await expect(run('other', bad(1, 2, 3))).rejects.toThrow(
    /^step 3: the loss of sample 0 of 3 .* is NaN, as in 2 steps before it; the first value .* a fake kernel at scale 262\d+/,
  );
});

test.each([
  [{ lg_loss_scale: -1 }, 'lg_loss_scale: found -1, expected a number from 0 to 100, such as 20'],
  [{ fp16_scale_growth: 2 }, 'fp16_scale_growth: found 2, expected a number from 0 to 1, such as 1e-3'],
  [{ lg_loss_scale: 10, precision: 'f32' }, 'lg_loss_scale: in float32 the loss is not scaled'],
] as const)('refuses %j', async (changes, message) => {
  await expect(run('run', changes)).rejects.toThrow(message);
});

test('another scale is another run', async () => {
  await run('run', { steps: 1 });
  await expect(run('run', { steps: 2, lg_loss_scale: 10 })).rejects.toThrow(
    'lg_loss_scale: there 20, here 10',
  );
  await expect(run('run', { steps: 2, precision: 'f32' })).rejects.toThrow('precision: there f16, here');
});
