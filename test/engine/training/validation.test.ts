// Runs with held-out images: what their loss is, that it depends on nothing but the parameters, and that it takes nothing from
// what training draws.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { runReference } from '../../../compiler/opgraph/reference.ts';
import { modelOps } from '../../../compiler/passes/model_ops.ts';
import { train } from '../../../engine/api.ts';
import type { TrainOptions } from '../../../engine/training/entry.ts';
import { readNamed } from '../../../engine/training/read-checkpoint.ts';
import { encodePng } from '../../../runtime/host/node/png.ts';
import type { PortValue } from '../../../runtime/model.ts';
import { listOf } from '../../../runtime/port-values.ts';
import { diffusionProcess } from '../../../runtime/sampler/process.ts';
import { heldOutNoise, heldOutTimesteps } from '../../../runtime/training/held-out-draws.ts';
import { lossInputs } from '../../../runtime/training/loss-inputs.ts';
import { type ProgressTable, parseTable } from '../../../runtime/training/progress-table.ts';
import { trainingNoise } from '../../../runtime/training/training-noise.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { tinyGraph, writeTinyImages } from '../../fixtures/tiny-training.ts';
import { contents, temporaryFolder } from '../../temporary-folder.ts';
import { unetc } from '../../unetc.ts';

const at = temporaryFolder();
const HELD = Float32Array.from({ length: 3 * 16 }, (_, i) => Math.cos(i * 0.71));
const PICTURE = encodePng({ width: 4, height: 4, channels: 1, data: new Uint8Array(16) });
const OPTIONS = { batch: 2, lr: 1e-3, ema_rate: 0.9, log_interval: 1, save_interval: 2, reference: true };

beforeEach(() => {
  writeTinyImages(at('d.safetensors'), 7);
  fs.writeFileSync(
    at('v.safetensors'),
    writeTensors(new Map([['x_start', { shape: [3, 1, 4, 4], data: HELD }]])),
  );
});

async function run(output: string, more: Partial<TrainOptions> = {}) {
  const given = { ...OPTIONS, data: at('d.safetensors'), val_data: at('v.safetensors'), val_interval: 2 };
  await using running = train(tinyGraph({ dropout: 0.4 }), {
    ...given,
    output: at(output),
    steps: 4,
    ...more,
  });
  const reports = [];
  for await (const report of running) reports.push(report);
  return reports;
}

const tableOf = (folder: string) =>
  parseTable(fs.readFileSync(at(folder, 'progress.csv'), 'utf8')) as ProgressTable;
const column = (folder: string, key: string) => {
  const { keys, rows } = tableOf(folder);
  return rows.map((row) => row[keys.indexOf(key)]);
};

describe('the loss', () => {
  test('is the mean over all images, by the parameters behind the step, without dropout', async () => {
    const reports = await run('run', { save_interval: 1, keep: 'all' });
    expect(reports.map(({ validation }) => validation !== null)).toEqual([true, false, true, false]);
    const { graph } = loadGraph(tinyGraph({ dropout: 0.4 }), 'tiny');
    const file = at('run/model000003.safetensors');
    const weights = readNamed({ kind: 'input', label: file }, '', parameters(graph));
    const images = [0, 1, 2];
    const timesteps = heldOutTimesteps(0, images, 8);
    const shape = [3, 1, 4, 4];
    const { weights: _, ...inputs } = lossInputs(diffusionProcess(graph.diffusion), {
      ...{ x_start: { shape, data: HELD }, noise: { shape, data: heldOutNoise(0, images, 16) }, timesteps },
    });
    const ops = modelOps(graph, { batch: 3, taps: false, precision: 'f32', gradient: false, losses: true });
    const tensors = Object.entries<PortValue>(inputs as Readonly<Record<string, PortValue>>).map(
      ([name, value]) => {
        const shaped = 'shape' in value && 'data' in value ? value.shape : [3];
        return [name, { shape: shaped, data: Float64Array.from(listOf(value)) }] as const;
      },
    );
    const found = runReference(ops, (name) => weights.get(name)!.data, Object.fromEntries(tensors));
    const losses = Float32Array.from(found.get('loss.loss')!.data);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / 3;
    expect(reports[2]!.validation!.val_loss).toBe(mean);
    const quarter = Math.floor((4 * timesteps[0]!) / 8);
    const alone = [...timesteps].filter((t) => Math.floor((4 * t) / 8) === quarter).length === 1;
    if (alone) expect(reports[2]!.validation![`val_loss_q${quarter}`]).toBe(losses[0]);
  });

  test('stands in the log where it was due, and in the curve', async () => {
    await run('run');
    const values = column('run', 'val_loss');
    expect(values.map((text) => text !== '')).toEqual([true, false, true, false]);
    expect(column('run', 'val_mse')).toEqual(values);
    expect(fs.readFileSync(at('run/loss.svg'), 'utf8')).toContain('held-out images');
  });

  test('takes nothing from training, and does not depend on how much is computed at once', async () => {
    await run('with');
    await run('without', { val_data: undefined, val_interval: undefined });
    await run('cut', { microbatch: 1 });
    const model = 'model000004.safetensors';
    const weights = (folder: string) => {
      const { graph } = loadGraph(tinyGraph(), 'tiny');
      return readNamed({ kind: 'input', label: at(folder, model) }, '', parameters(graph));
    };
    expect(weights('with')).toEqual(weights('without'));
    expect(column('with', 'loss')).toEqual(column('without', 'loss'));
    expect(column('cut', 'val_loss')[0]).toEqual(column('with', 'val_loss')[0]);
    expect(tableOf('without').keys.filter((key) => key.startsWith('val'))).toEqual([]);
  });

  test('comes again in a run that goes on, to the same bytes', async () => {
    await run('whole', { steps: 5 });
    for await (const { step } of train(tinyGraph({ dropout: 0.4 }), {
      ...{ ...OPTIONS, data: at('d.safetensors'), val_data: at('v.safetensors'), val_interval: 2 },
      ...{ output: at('cut'), steps: 5 },
    })) {
      if (step === 2) break;
    }
    await run('cut', { steps: 5 });
    expect(contents(at('cut'))).toEqual(contents(at('whole')));
  });
});

test('a held-out picture that the system refuses ends the run before its step is saved, and nothing of the log is lost', async () => {
  const held = (folder: string) => {
    fs.mkdirSync(at(folder), { recursive: true });
    for (const name of ['0.png', '1.png']) fs.writeFileSync(at(folder, name), PICTURE);
    return at(folder);
  };
  const val_data = held('v');
  const more = { val_data, val_interval: 1, save_interval: 10 };
  await run('whole', more);
  const running = async (): Promise<void> => {
    const given = { ...OPTIONS, ...more, data: at('d.safetensors'), output: at('cut'), steps: 4 };
    for await (const { step } of train(tinyGraph({ dropout: 0.4 }), given)) {
      if (step === 1) fs.rmSync(at('v/1.png'));
    }
  };
  await expect(running()).rejects.toThrow(
    `${at('v/1.png')}: there is no such file or folder; check the path`,
  );
  held('v');
  await run('cut', more);
  expect(contents(at('cut'))).toEqual(contents(at('whole')));
});

describe('draws', () => {
  test('spread timesteps evenly, and depend on seed and image alone', () => {
    const images = Array.from({ length: 40 }, (_, i) => i);
    const all = heldOutTimesteps(3, images, 1000);
    const quarters = [0, 1, 2, 3].map((q) => all.filter((t) => Math.floor(t / 250) === q).length);
    expect(Math.max(...quarters) - Math.min(...quarters)).toBeLessThanOrEqual(2);
    expect(heldOutTimesteps(3, [17, 5], 1000)).toEqual(Int32Array.of(all[17]!, all[5]!));
    expect(heldOutTimesteps(4, images, 1000)).not.toEqual(all);
    expect(heldOutNoise(3, [5, 17], 6).subarray(6)).toEqual(heldOutNoise(3, [17], 6));
    expect(heldOutNoise(3, [0], 6)).not.toEqual(trainingNoise(3, 0, 1, 6));
  });
});

describe('is refused', () => {
  test.each<[string, Partial<TrainOptions>, string | RegExp]>([
    [
      'an interval between rows',
      { log_interval: 2, val_interval: 3 },
      'expected a multiple of log_interval, which is 2',
    ],
    ['an interval without data', { val_data: undefined }, 'val_interval: nothing is held out'],
    ['no image', { val_limit: 0 }, 'val_limit: found 0'],
    ['data that is not there', { val_data: '/nowhere' }, /nowhere/],
  ])('%s', async (_, options, says) => {
    await expect(run('run', options)).rejects.toThrow(says);
  });

  test('in a folder of a run without it', async () => {
    await run('run', { val_data: undefined, val_interval: undefined });
    await expect(run('run')).rejects.toThrow(
      /val_data: there none, here .*val_interval: there none, here 2/s,
    );
  });

  test('a class that is another one there', async () => {
    const labelled = tinyGraph({ num_classes: 2 });
    for (const [folder, names] of [
      ['d', ['cat', 'dog']],
      ['v', ['cat', 'eel']],
    ] as const) {
      fs.mkdirSync(at(folder));
      for (const name of names) fs.writeFileSync(at(folder, `${name}_0.png`), PICTURE);
    }
    const running = train(labelled, { ...OPTIONS, data: at('d'), val_data: at('v'), steps: 1 });
    await expect(running.next()).rejects.toThrow(/class 1 is eel in .*, and dog in/);
  });
});

test('the command line says it, also of a plan', async () => {
  fs.writeFileSync(at('g.json'), tinyGraph());
  const words = ['train', at('g.json'), '--data', at('d.safetensors'), '--val-data', at('v.safetensors')];
  const shared = [
    '--log-interval',
    '1',
    '--val-interval',
    '1',
    '--batch',
    '1',
    '--steps',
    '1',
    '--reference',
  ];
  const { stdout, stderr, exit } = await unetc(...words, ...shared, '-o', at('run'), '--progress', 'json');
  expect(exit, stderr).toBe(0);
  expect(stdout).toMatch(/last loss [\d.]+, of held-out images [\d.]+/);
  expect(stderr).toMatch(/"event":"validation","step":0,"losses":\{"val_loss":/);
});
