// `unetc train` on the reference executor: what it writes, going on to the same bytes, words and faults.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { Interrupted } from '../../cli/exit.ts';
import { main } from '../../cli/main.ts';
import type { TrainResult } from '../../engine/training/train.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { tinyClassifier } from '../fixtures/tiny-classifier.ts';
import { tinyGraph, writeTinyImages } from '../fixtures/tiny-training.ts';
import { recordingContext } from '../recording-context.ts';
import { contents, temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();

const call = (out: string, ...more: readonly string[]) =>
  [
    ...['train', at('g.json'), '--data', at('d.safetensors'), '--out', at(out), '--reference', '--quiet'],
    ...['--batch', '3', '--log-interval', '2', '--ema-rate', '0.5,0.9', ...more],
  ] as const;

beforeEach(() => {
  fs.writeFileSync(at('g.json'), tinyGraph());
  writeTinyImages(at('d.safetensors'), 7);
});

test('writes checkpoints, the log, the curve and pictures', async () => {
  const words = ['--steps', '5', '--save-interval', '2', '--sample-interval', '3', '--keep', '2'];
  const result = await unetcJson<TrainResult>(...call('run', ...words));
  expect(result).toMatchObject({ exit: 0, from: 0, position: 5, batch: 3, samples: 15, skipped: 0 });
  expect(Object.keys(contents(at('run')))).toEqual([
    ...['ema_0.5_000004.safetensors', 'ema_0.5_000005.safetensors'],
    ...['ema_0.9_000004.safetensors', 'ema_0.9_000005.safetensors'],
    ...['loss.svg', 'manifest.json', 'model000004.safetensors', 'model000005.safetensors'],
    ...['opt000004.safetensors', 'opt000005.safetensors', 'progress.csv', 'samples/000003.png'],
  ]);
  const [header, ...rows] = fs.readFileSync(at('run/progress.csv'), 'utf8').trim().split('\n');
  expect(header!.split(',').slice(0, 2)).toEqual(['grad_norm', 'loss']);
  const column = header!.split(',').indexOf('step');
  expect(rows.map((row) => row.split(',')[column])).toEqual(['0', '2', '4']);
  expect(result.files[0]).toBe(at('run/model000005.safetensors'));
});

test('a signal saves the step under way, and the run goes on from there', async () => {
  const controller = new AbortController();
  const context = recordingContext({ signal: controller.signal });
  const stderr = (text: string) => {
    context.stderr(text);
    // steps that end sooner than every tenth of a second are not all told
    if (text.includes('"event":"step","step":0,'))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    if (text.includes('"event":"step","step":1,')) controller.abort(new Interrupted('SIGINT'));
  };
  const loud = call('run', '--steps', '3').filter((word) => word !== '--quiet');
  expect(await main([...loud, '--progress', 'json'], { ...context, stderr })).toBe(130);
  const note = `${at('run/model000002.safetensors')} is saved; the same command goes on from step 2`;
  expect(context.printed.stderr).toContain(JSON.stringify(note));
  expect(fs.existsSync(at('run/model000002.safetensors'))).toBe(true);
  expect((await unetcJson<TrainResult>(...call('run', '--steps', '3'))).from).toBe(2);
  expect(fs.existsSync(at('run/model000002.safetensors'))).toBe(false);
});

test('a checkpoint is a model on its own', async () => {
  await unetc(...call('run', '--steps', '1', '--sample-interval', '0'));
  const model = at('run/ema_0.9_000001.safetensors');
  expect(JSON.parse((await unetc('expand', model)).stdout).name).toBe('tiny');
  // what no shape tells, such as heads and the process, comes from the graph that is carried
  expect(await unetc('diff', at('g.json'), model)).toMatchObject({ exit: 0, stderr: '' });
  expect((await unetc('infer', model)).stderr).toContain(`unetc expand ${model} prints it`);
  // a state dict of another format under that name carries none
  for (const name of ['dict.json', 'dict.safetensors']) {
    fs.writeFileSync(at(name), '{"time_embed.0.weight": [128, 32]}');
    expect(await unetc('diff', at(name), at('g.json')), name).toMatchObject({ exit: 1 });
  }
  expect((await unetc('check', model)).stdout).toContain(`${model}: fits ${model}`);
  expect((await unetc('check', at('g.json'))).stderr).toContain('say which checkpoint is held against');
  const words = ['--seeds', '0-1', '--reference', '--quiet', '--steps', '2', '--out', at('samples')];
  expect(await unetc('sample', model, ...words)).toMatchObject({ exit: 0 });
  const bare = await unetc('sample', at('d.safetensors'), ...words);
  expect(bare.exit).toBe(3);
  expect(bare.stderr).toContain('this checkpoint carries no graph (those of unetc train do)');
  expect((await unetc('sample', at('g.json'), ...words)).stderr).toContain("required option '--weights <W>'");
});

test('a classifier is told its accuracy, under the keys of the original, and draws nothing', async () => {
  fs.writeFileSync(at('g.json'), tinyClassifier('adaptive'));
  const x_start = {
    shape: [7, 1, 8, 8],
    data: Float32Array.from({ length: 448 }, (_, i) => Math.sin(i * 0.37)),
  };
  const y = { shape: [7], data: Int32Array.from([0, 1, 2, 3, 4, 5, 6]) };
  const tensors = new Map<string, { shape: number[]; data: Float32Array | Int32Array }>([
    ['x_start', x_start],
    ['y', y],
  ]);
  fs.writeFileSync(at('d.safetensors'), writeTensors(tensors));
  const result = await unetcJson<TrainResult>(...call('run', '--steps', '3', '--sample-interval', '1'));
  expect(result).toMatchObject({ exit: 0, position: 3 });
  const [header] = fs.readFileSync(at('run/progress.csv'), 'utf8').split('\n');
  expect(header!.split(',').filter((key) => !/_q\d$/.test(key))).toEqual([
    ...['grad_norm', 'samples', 'step', 'train_acc@1', 'train_acc@5', 'train_loss'],
  ]);
  expect(Object.keys(contents(at('run'))).filter((name) => name.includes('samples/'))).toEqual([]);
  expect(fs.readFileSync(at('run/loss.svg'), 'utf8')).toContain('all timesteps');
});

describe('refuses', () => {
  test.each([
    [
      'a pattern of no parameter',
      ['--freeze', 'time_embed,in_blocks.0'],
      2,
      "--freeze: 'in_blocks.0' matches no parameter of tiny; did you mean input_blocks.0?",
    ],
    ['no data', ['--data'], 2, ''],
    ['a rate that is none', ['--ema-rate', '1'], 2, '--ema-rate: found 1, expected rates of moving averages'],
    [
      'a microbatch beyond the batch',
      ['--microbatch', '4'],
      2,
      '--microbatch: found 4, expected at most the batch of 3',
    ],
    [
      'steps behind the last one of the learning rate',
      ['--lr-anneal-steps', '2', '--steps', '3'],
      2,
      '--steps: found 3',
    ],
    [
      'a norm that is none',
      ['--max-grad-norm', '0'],
      2,
      '--max-grad-norm: found 0, expected a number above 0',
    ],
    [
      'a schedule that ends nowhere',
      ['--lr-schedule', 'cosine'],
      2,
      '--lr-schedule cosine: the learning rate falls to 0; say at which step with --lr-anneal-steps',
    ],
    [
      'a rate that stays and falls',
      ['--lr-schedule', 'constant', '--lr-anneal-steps', '9'],
      2,
      '--lr-schedule constant: the learning rate stays, and --lr-anneal-steps says that it falls',
    ],
    ['a schedule that there is not', ['--lr-schedule', 'cosin'], 2, "--lr-schedule: found 'cosin'"],
    [
      'a warm-up that does not end',
      ['--lr-warmup', '9', '--lr-anneal-steps', '9'],
      2,
      '--lr-warmup: found 9, and the learning rate is 0 from step 9 on',
    ],
    [
      'an optimizer without its weights',
      ['--optimizer', 'opt000001.pt'],
      2,
      '--optimizer: it goes on from the parameters',
    ],
    [
      'a scale of the loss in float32',
      ['--lg-loss-scale', '10'],
      2,
      '--lg-loss-scale: in float32 the loss is not scaled',
    ],
    ['weights of another model', ['--weights', 'd.safetensors'], 4, 'there is no such file'],
  ])('%s', async (_, words, exit, message) => {
    const outcome = await unetc(...call('run', ...words));
    expect(outcome.exit).toBe(exit);
    expect(outcome.stderr).toContain(message);
    expect(fs.existsSync(at('run'))).toBe(false);
  });
});
