// Training on the GPU that is here: the recorded runs of the original's optimizer on every target, and runs that go on to the
// same bytes.

import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { train } from '../../engine/api.ts';
import { tinyGraph, writeTinyImages } from '../fixtures/tiny-training.ts';
import { testTargets } from '../on-device.ts';
import { goldenSteps, STEP_CASES } from '../step-cases.ts';
import { contents, temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

test.each(STEP_CASES)('%s: losses, norms, the change of parameters and of moving averages', async (name) => {
  const { graph, weights, replay, options, log, errorOfChange } = goldenSteps(name);
  const { lr, weight_decay, lr_anneal_steps, ema_rates, microbatch } = options;
  const given = {
    lr,
    weight_decay,
    lr_anneal_steps,
    ema_rate: ema_rates,
    ...(microbatch > 0 ? { microbatch } : {}),
  };
  for (const { name: target } of await testTargets()) {
    await using run = train(graph, { ...given, weights, replay, target });
    const reports = [];
    for await (const report of run) reports.push(report);
    for (const [k, { loss, grad_norm }] of log.entries()) {
      // Adam's first steps are signs: the float32 of PyTorch itself is 4e-3 from its float64 after eight of them
      expect(Math.abs(reports[k]!.losses.loss! / loss - 1), `${target}: loss of step ${k}`).toBeLessThan(
        k === 0 ? 2e-5 : 2e-3,
      );
      expect(Math.abs(reports[k]!.grad_norm / grad_norm - 1), `${target}: norm of step ${k}`).toBeLessThan(
        k === 0 ? 2e-5 : 5e-3,
      );
    }
    expect(errorOfChange('param', await run.weights()), target).toBeLessThan(2e-2);
    for (const rate of ema_rates) {
      expect(errorOfChange(`ema_${rate}`, await run.weights(rate)), `${target}: ${rate}`).toBeLessThan(2e-2);
    }
  }
});

describe.each([
  ['whole batches, with dropout', tinyGraph({ dropout: 0.2 }), {}],
  [
    'microbatches, timesteps by their losses',
    tinyGraph(),
    { microbatch: 2, schedule_sampler: 'loss-second-moment' },
  ],
] as const)('%s', (_, graph, more) => {
  test('the same run twice, in one piece and in three, has the same bytes', async () => {
    writeTinyImages(at('d.safetensors'), 7);
    const run = async (output: string, steps: number, leave = Number.POSITIVE_INFINITY) => {
      const options = {
        data: at('d.safetensors'),
        batch: 3,
        ema_rate: [0.5, 0.9],
        save_interval: 5,
        ...more,
      };
      for await (const { position } of train(graph, {
        ...options,
        steps,
        output: at(output),
        sample_interval: 0,
      })) {
        if (position === leave) break;
      }
    };
    await run('whole', 12);
    await run('again', 12);
    await run('pieces', 12, 3);
    await run('pieces', 12, 8);
    await run('pieces', 12);
    for (const other of ['again', 'pieces']) {
      expect(fs.readdirSync(at(other))).toEqual(fs.readdirSync(at('whole')));
      const [a, b] = [contents(at('whole')), contents(at(other))];
      expect(Object.keys(a).filter((file) => a[file] !== b[file])).toEqual([]);
    }
  });
});

test('says before it starts what it takes, and which microbatch fits', async () => {
  writeTinyImages(at('p.safetensors'), 7);
  const options = { data: at('p.safetensors'), steps: 3, target: 'generic' };
  const run = train(tinyGraph(), { ...options, batch: 4, output: at('planned') });
  const plan = await run.plan();
  expect(plan).toMatchObject({ name: 'tiny', batch: 4, microbatch: 4, steps: 3, target: 'generic' });
  expect(plan.memory.blocks.every(({ recomputed, bytes }) => !recomputed && bytes > 0)).toBe(true);
  expect(fs.existsSync(at('planned'))).toBe(false);
  expect((await run.opened()).bytes).toBe(plan.memory.bytes);
  await run.close();

  const large = { ...options, batch: 4096 };
  const bytesOf = async (more: object) =>
    (await train(tinyGraph(), { ...large, ...more }).plan()).memory.bytes;
  const some = await bytesOf({ microbatch: 2048 });
  await expect(bytesOf({ memory: some })).rejects.toThrow(
    /^memory .* MB: a step of tiny that computes 4096 samples at once takes at least .*; use microbatch 2048, which fits, or memory \d+MB$/,
  );
  await expect(bytesOf({ memory: 1000, batch: 1 })).rejects.toThrow(/; use memory \d+MB$/);
});

test('losses of held-out images are those of the reference, by weights that are put in the place of others', async () => {
  writeTinyImages(at('d.safetensors'), 7);
  const [data, val_data] = [at('d.safetensors'), at('d.safetensors')];
  const run = async (more: Partial<Parameters<typeof train>[1]>) => {
    const intervals = { log_interval: 1, val_interval: 1 };
    const given = { data, val_data, ...intervals, batch: 3, steps: 3, lr: 1e-3, ...more };
    const losses = [];
    await using running = train(tinyGraph({ dropout: 0.3 }), given);
    for await (const { validation } of running) losses.push(validation!);
    return losses;
  };
  const [found, again, expected] = [
    await run({}),
    await run({ microbatch: 2 }),
    await run({ reference: true }),
  ];
  expect(again[0]).toEqual(found[0]);
  for (const [k, losses] of expected.entries()) {
    for (const [key, loss] of Object.entries(losses)) {
      expect(Math.abs(found[k]![key]! / loss - 1), `${key} behind step ${k}`).toBeLessThan(1e-4);
    }
  }
  expect(found[2]!.val_loss).not.toBe(found[1]!.val_loss);
});
