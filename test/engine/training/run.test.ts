// Runs of training over a step that computes nothing: what is written, and that a run goes on to the bytes that it would have
// had, wherever it was stopped.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { batchesBy } from '../../../engine/data/entry.ts';
import type { Host } from '../../../engine/host.ts';
import { silentHost } from '../../../engine/host.ts';
import { graphSource } from '../../../engine/model/model-source.ts';
import type { TrainingOptions } from '../../../engine/training/settings.ts';
import { openTraining, type TrainResult } from '../../../engine/training/train.ts';
import type { OutputOptions, TrainJob } from '../../../engine/training/train-job.ts';
import { RuntimeError } from '../../../runtime/errors.ts';
import { type FakeStepOptions, openFakeStep } from '../../fake-step.ts';
import { tinyGraph, writeTinyImages } from '../../fixtures/tiny-training.ts';
import { contents, temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

interface Changes extends TrainingOptions, OutputOptions, FakeStepOptions {
  readonly job?: Partial<TrainJob>;
  readonly host?: Host;
  /** Steps after which the caller leaves off. */
  readonly leave?: number;
}

function jobOf({ job, ...options }: Changes, out: string): TrainJob {
  const {
    save_interval = 3,
    sample_interval = 0,
    keep,
    resume,
    losses: _,
    onStep: __,
    host: ___,
    leave: ____,
    ...training
  } = options;
  return {
    source: graphSource(tinyGraph(), 'g.json'),
    data: at('d.safetensors'),
    data_options: {},
    ...{ replay: null, weights: null, optimizer: null, allow_unexpected: false, rename_map: undefined },
    training: { batch: 3, log_interval: 2, ema_rate: [0.5, 0.9], ...training },
    validation: {},
    output: { save_interval, sample_interval, keep, resume },
    ...{ out: at(out), device: {}, reference: true },
    ...job,
  };
}

async function run(out: string, changes: Changes): Promise<TrainResult> {
  const training = await openTraining(
    jobOf(changes, out),
    changes.host ?? silentHost(),
    openFakeStep(changes),
  );
  try {
    let left = changes.leave ?? Number.POSITIVE_INFINITY;
    for await (const _ of training.reports()) if (--left === 0) break;
    return training.result();
  } finally {
    await training.close();
  }
}

beforeEach(() => writeTinyImages(at('d.safetensors'), 7));

test('writes checkpoints of which the newest stay, the log and the curve', async () => {
  const result = await run('run', { steps: 8, keep: 2 });
  expect(result).toMatchObject({ from: 0, position: 8, batch: 3, samples: 24, skipped: 0 });
  expect(result.files[0]).toBe(at('run/model000008.safetensors'));
  expect(Object.keys(contents(at('run')))).toEqual([
    ...['ema_0.5_000006.safetensors', 'ema_0.5_000008.safetensors'],
    ...['ema_0.9_000006.safetensors', 'ema_0.9_000008.safetensors'],
    ...['loss.svg', 'manifest.json', 'model000006.safetensors', 'model000008.safetensors'],
    ...['opt000006.safetensors', 'opt000008.safetensors', 'progress.csv'],
  ]);
  const [header, ...rows] = fs.readFileSync(at('run/progress.csv'), 'utf8').trim().split('\n');
  const columns = header!.split(',');
  expect(columns.slice(0, 2)).toEqual(['grad_norm', 'loss']);
  expect(rows.map((row) => row.split(',')[columns.indexOf('step')])).toEqual(['0', '2', '4', '6']);
  expect(rows.map((row) => row.split(',')[columns.indexOf('samples')])).toEqual(['3', '9', '15', '21']);
});

describe('goes on to the same bytes', () => {
  const same = (name = 'run') => {
    const [whole, run] = [contents(at('whole')), contents(at(name))];
    expect(Object.keys(run)).toEqual(Object.keys(whole));
    expect(Object.keys(run).filter((file) => run[file] !== whole[file])).toEqual([]);
  };

  test.each(['uniform', 'loss-second-moment'] as const)(
    'wherever it is left, timesteps %s',
    async (schedule_sampler) => {
      // long enough for every timestep to have its ten losses
      const settings = { steps: 60, schedule_sampler, save_interval: 13 };
      await run('whole', settings);
      for (let left = 0; left < 60; left += 17) {
        const result = await run('run', { ...settings, leave: 17 });
        expect(result.from).toBe(left);
        if (result.position < 60)
          expect(fs.existsSync(at(`run/model0000${result.position}.safetensors`))).toBe(true);
      }
      same();
    },
  );

  test('after a signal, whose reason is thrown', async () => {
    await run('whole', { steps: 8 });
    const controller = new AbortController();
    const host = { ...silentHost(), signal: controller.signal };
    const onStep = (step: number) => step === 4 && controller.abort(new Error('stop'));
    await expect(run('run', { steps: 8, host, onStep })).rejects.toThrow('stop');
    expect(fs.existsSync(at('run/model000005.safetensors'))).toBe(true);
    expect(fs.existsSync(at('run/.unetc'))).toBe(false);
    expect((await run('run', { steps: 8 })).from).toBe(5);
    same();
  });

  test('with a schedule, its warm-up and that of moving averages, which another run of the folder may not change', async () => {
    const schedule = { lr_schedule: 'cosine', lr_anneal_steps: 8, lr_warmup: 3 } as const;
    const settings = { lr: 0.1, ...schedule, ema_warmup: true };
    await run('whole', settings);
    expect((await run('run', { ...settings, leave: 4 })).position).toBe(4);
    await expect(run('run', { ...settings, lr_schedule: 'linear' })).rejects.toThrow(
      'lr_schedule: there cosine, here none',
    );
    await expect(run('run', { ...settings, ema_warmup: false, lr_warmup: 2 })).rejects.toThrow(
      /lr_warmup: there 3, here 2\n {2}ema_warmup: there yes, here none/,
    );
    expect((await run('run', settings)).from).toBe(4);
    same();
  });

  test('from an ended run, with more steps', async () => {
    await run('run', { steps: 3 });
    await run('whole', { steps: 8 });
    expect((await run('run', { steps: 8 })).from).toBe(3);
    same();
    expect((await run('run', { steps: 8 })).from).toBe(8);
    same();
  });

  test('where a killed run left half a checkpoint, rows behind it and temporaries', async () => {
    await run('run', { steps: 6 });
    await run('whole', { steps: 8 });
    // the checkpoint of step 6 has lost its place in the manifest, and one of its files
    const manifest = JSON.parse(fs.readFileSync(at('run/manifest.json'), 'utf8'));
    manifest.checkpoints.pop();
    fs.writeFileSync(at('run/manifest.json'), JSON.stringify(manifest));
    fs.rmSync(at('run/model000006.safetensors'));
    fs.mkdirSync(at('run/.unetc/train/next'), { recursive: true });
    fs.writeFileSync(at('run/.unetc/train/next/model000006.safetensors'), 'half');
    fs.writeFileSync(at('run/.progress.csv.01234567.tmp'), 'half');
    fs.appendFileSync(at('run/progress.csv'), '1,2');
    const leave = await run('run', { steps: 8, leave: 1 });
    expect(leave.from).toBe(3);
    expect(fs.existsSync(at('run/opt000006.safetensors'))).toBe(false);
    await run('run', { steps: 8 });
    same();
  });

  test('from the checkpoint before, where the newest is not as it was written', async () => {
    await run('run', { steps: 6 });
    await run('whole', { steps: 8 });
    fs.appendFileSync(at('run/opt000006.safetensors'), 'x');
    const notes: string[] = [];
    expect((await run('run', { steps: 8, host: silentHost(notes) })).from).toBe(3);
    expect(notes.join()).toContain(
      'opt000006.safetensors is not as written at step 6; the run goes on from step 3',
    );
    same();
  });

  test('from step 0, where no checkpoint is as it was written', async () => {
    await run('run', { steps: 6, keep: 1 });
    await run('whole', { steps: 8 });
    fs.rmSync(at('run/model000006.safetensors'));
    expect((await run('run', { steps: 8, leave: 2 })).from).toBe(0);
    expect((await run('run', { steps: 8 })).from).toBe(2);
    same();
  });

  test('after a signal while the picture of a step is drawn whose checkpoint is due', async () => {
    await run('whole', { steps: 4, sample_interval: 3 });
    const controller = new AbortController();
    const host = { ...silentHost(), signal: controller.signal };
    const onStep = (step: number) => step === 2 && setTimeout(() => controller.abort(new Error('stop')), 20);
    await expect(run('run', { steps: 4, sample_interval: 3, host, onStep })).rejects.toThrow('stop');
    expect((await run('run', { steps: 4, sample_interval: 3 })).from).toBe(3);
    same();
  });

  test('with pictures of samples, also one that a killed run did not come to', async () => {
    await run('whole', { steps: 5, sample_interval: 3 });
    await run('run', { steps: 3, sample_interval: 3 });
    fs.rmSync(at('run/samples/000003.png'));
    await run('run', { steps: 5, sample_interval: 3 });
    same();
    expect(Object.keys(contents(at('run')))).toContain('samples/000003.png');
  });
});

test('another run goes on from a checkpoint with its optimizer and moving averages', async () => {
  await run('a', { steps: 4 });
  await run('whole', { steps: 6 });
  const beside = { weights: at('a/model000004.safetensors'), optimizer: at('a/opt000004.safetensors') };
  expect(await run('b', { steps: 6, job: beside })).toMatchObject({ from: 4, position: 6 });
  const values = (file: string) => fs.readFileSync(at(file)).subarray(-4096);
  for (const name of ['model', 'ema_0.5_', 'ema_0.9_'].map((stem) => `${stem}000006.safetensors`)) {
    expect(values(`b/${name}`).equals(values(`whole/${name}`)), name).toBe(true);
  }
  const ended = run('c', { steps: 4, job: beside });
  await expect(ended).rejects.toThrow(
    'its run is at step 4 already, and this one ends at step 4; give more steps',
  );
});

test('a loss that is not finite ends the run; the last checkpoint stays', async () => {
  const losses = (step: number, usual: Float32Array) =>
    step === 4 ? usual.map((value, i) => (i === 1 ? Number.NaN : value)) : usual;
  await expect(run('run', { steps: 8, losses })).rejects.toMatchObject({
    kind: 'gpu',
    message: expect.stringMatching(
      /^step 4: the loss of sample 1 of 3 \(timestep \d, of the data .*d\.safetensors.*\[\d\]\) is NaN; the first value that is not finite was made by a fake kernel at scale 1;/,
    ),
  });
  expect(Object.keys(contents(at('run'))).filter((name) => name.startsWith('model'))).toEqual([
    'model000003.safetensors',
  ]);
  expect((await run('run', { steps: 8 })).from).toBe(3);
});

describe('refuses', () => {
  test('what cannot begin, and leaves the folder as it is: no adapter, no first batch', async () => {
    await run('run', { steps: 3 });
    const before = contents(at('run'));
    for (const out of ['run', 'new']) {
      const changes = { steps: 3, resume: false, lr: 0.5 };
      const none = async () => {
        throw new RuntimeError('adapter', 'no GPU adapter');
      };
      await expect(openTraining(jobOf(changes, out), silentHost(), none)).rejects.toThrow('no GPU adapter');
      const data = batchesBy(() => {
        throw new Error('no such picture');
      });
      await expect(run(out, { ...changes, job: { data } })).rejects.toThrow('no such picture');
    }
    expect(contents(at('run'))).toEqual(before);
    expect(fs.existsSync(at('new'))).toBe(false);
  });

  test('what an earlier run left half written, where another one is begun anew', async () => {
    await run('run', { steps: 6 });
    const manifest = JSON.parse(fs.readFileSync(at('run/manifest.json'), 'utf8'));
    manifest.checkpoints.pop();
    fs.writeFileSync(at('run/manifest.json'), JSON.stringify(manifest));
    await run('run', { steps: 1, resume: false, ema_rate: 0.7 });
    expect(Object.keys(contents(at('run'))).filter((name) => name.includes('000006'))).toEqual([]);
  });

  test('another run in the folder, with what differs; begins anew where that is asked for', async () => {
    await run('run', { steps: 1 });
    await expect(run('run', { steps: 2, lr: 0.5 })).rejects.toThrow('lr: there 0.0001, here 0.5');
    expect(await run('run', { steps: 2, lr: 0.5, resume: false })).toMatchObject({ from: 0, position: 2 });
    expect(fs.existsSync(at('run/model000001.safetensors'))).toBe(false);
  });

  test("files that no run's manifest names", async () => {
    fs.mkdirSync(at('run'));
    fs.writeFileSync(at('run/model000001.safetensors'), 'mine');
    await expect(run('run', { steps: 1 })).rejects.toThrow(
      'model000001.safetensors is there, and no manifest.json',
    );
  });

  test('a folder that another process writes to', async () => {
    const open = () => openTraining(jobOf({ steps: 1 }, 'run'), silentHost(), openFakeStep());
    const training = await open();
    await expect(open()).rejects.toThrow('is writing there');
    await training.close();
    expect(fs.existsSync(at('run/.unetc'))).toBe(false);
  });
});
