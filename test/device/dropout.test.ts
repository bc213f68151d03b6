// Dropout on every target: its draw bit for bit, its masks in every kernel that applies them, and the gradients of whole models
// with it, against their meaning in float64.

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import type { Shape } from '../../compiler/ops/op.ts';
import { draw_dropout } from '../../compiler/passes/draw_dropout.ts';
import { modelOps } from '../../compiler/passes/model_ops.ts';
import { referenceStep } from '../../engine/training/reference-step.ts';
import { philox4x32 } from '../../runtime/sampler/philox.ts';
import { dropoutMask, dropoutStream, dropoutWords } from '../../runtime/training/dropout.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import { admGraphUpTo } from '../arbitrary-adm-graph.ts';
import { type CompactGraph, compactGraphUpTo } from '../arbitrary-graph.ts';
import { gradientsOf } from '../fixtures/gradient-ops.ts';
import { inputsOf, referenceOf, weightsOf } from '../fixtures/model-values.ts';
import { openProgram, relativeError, runBundle, testDevice, testTargets } from '../on-device.ts';
import { asked, drawn, TOLERANCE } from '../random-graphs.ts';
import { compileOps, type OpsBuilder, opsOver, runOps } from '../run-ops.ts';
import { goldenTraining, trainingGraph } from '../training-cases.ts';

const SEED = 5;

const VARIANTS = [
  { fuse: true, strict: false },
  { fuse: true, strict: true },
  { fuse: false, strict: true },
] as const;

afterAll(async () => {
  (await testDevice()).check();
});

describe('masks', () => {
  it.each([
    [[3, 4, 5], 0.5],
    [[2, 7, 3, 5], 0.1],
    [[5, 64, 9, 11], 0.9],
    [[1, 12, 2, 3, 5], 1e-9],
    [[1, 260, 33, 31], 0.3],
  ] as const)('over [%s], p = %f, are the host’s bit for bit', async (shape, p) => {
    const [batch, channels, ...space] = shape;
    const pixels = space.reduce((n, d) => n * d, 1);
    const inputs = {
      x: { shape, data: new Float32Array(batch * channels * pixels).fill(1) },
      timesteps: Array<number>(batch).fill(1),
      dropout: dropoutWords({ seed: 0xfedcba9876543, step: 0x80000001, first_sample: 40 }, batch),
    };
    const ops = draw_dropout(opsOver(shape, (b) => b.add('dropout', [b.x], { p }, 'dropout')));
    const expected = Array.from({ length: batch }, (_, k) => {
      const row = inputs.dropout.slice(4 * k, 4 * k + 4);
      return [...dropoutMask(row, { p, block: 0 }, channels, pixels)];
    }).flat();
    for (const target of await testTargets()) {
      const found = await runOps(ops, SEED, { target, inputs });
      const kept = Array.from(found.get('output')!.data, (v) => (v === 0 ? 0 : 1));
      expect(kept, target.name).toEqual(expected);
    }
  });
});

it('a mask is drawn of the host’s words to the last bit', async () => {
  const [shape, block] = [[1, 4, 3], 0] as const;
  const draw = { seed: 2 ** 45 + 77, step: 12, first_sample: 3 };
  const dropout = dropoutWords(draw, 1);
  const inputs = { x: { shape, data: new Float32Array(12).fill(1) }, timesteps: [1], dropout };
  const words = new Uint32Array(4);
  for (const pixel of [0, 1, 2]) {
    philox4x32([pixel, 3, 12, dropoutStream(block)], [77, 2 ** 13], words);
    for (const [channel, word] of words.entries()) {
      // a word is below the one threshold and not below the other
      for (const threshold of [word, word + 1]) {
        const p = 1 - threshold / 2 ** 32;
        const ops = draw_dropout(opsOver(shape, (b) => b.add('dropout', [b.x], { p }, 'dropout')));
        for (const target of await testTargets()) {
          const { data } = (await runOps(ops, SEED, { target, inputs })).get('output')!;
          expect(data[channel * 3 + pixel] !== 0, `${target.name}, word ${word}`).toBe(threshold > word);
        }
      }
    }
  }
});

it('a traced pass takes no mask for numbers', async () => {
  const ops = draw_dropout(opsOver([1, 64, 8, 8], (b) => b.add('dropout', [b.x], { p: 0.01 }, 'dropout')));
  const program = await openProgram(compileOps(ops), () => new Float32Array());
  const traced: number[] = [];
  for await (const { dispatch, values } of program.trace(inputsOf(ops, SEED))) {
    traced.push(dispatch);
    expect(values.every(Number.isFinite)).toBe(true);
  }
  program.close();
  const { dispatches } = program.manifest;
  const numbers = dispatches.flatMap(({ group }, i) => (/ dropout_mask /.test(group) ? [] : [i]));
  expect(traced).toEqual(numbers);
  expect(numbers.length).toBe(dispatches.length - 1);
});

type Case = readonly [name: string, ops: OpGraph];

function over(name: string, shape: Shape, body: (b: OpsBuilder) => number): Case {
  return [`${name} over [${shape}]`, gradientsOf(draw_dropout(opsOver(shape, body)))];
}

function conv(b: OpsBuilder, from: number, outputs: number, kernel: Shape): number {
  const name = `conv${from}of${kernel.join('x')}`;
  const weights = b.weights(name, [outputs, b.typeOf(from).shape[1]!, ...kernel]);
  const padding = kernel.map((k) => (k - 1) / 2);
  return b.add('conv', [from, ...weights], { stride: kernel.map(() => 1), padding }, name);
}

/** Norm, maybe FiLM, silu and dropout. */
function chain(b: OpsBuilder, from: number, groups: number, film: boolean, p = 0.3): number {
  const channels = b.typeOf(from).shape[1]!;
  const weights = b.weights(`norm${from}`, [channels]);
  const normed = b.add('group_norm', [from, ...weights], { groups, eps: 1e-5 }, 'norm');
  const scaled = film ? b.add('film', [normed, b.embed(2 * channels)], {}, 'film') : normed;
  return b.add('dropout', [b.add('silu', [scaled], {}, 'silu')], { p }, 'dropout');
}

describe('a mask', () => {
  it.each([
    over('in front of a convolution', [2, 8, 6, 7], (b) => conv(b, chain(b, b.x, 2, false), 12, [3, 3])),
    over('behind FiLM', [2, 16, 5, 4], (b) => conv(b, chain(b, b.x, 4, true), 8, [3, 3])),
    over('of channels that do not fill quads', [2, 6, 9], (b) => conv(b, chain(b, b.x, 3, false), 5, [3])),
    over('in three dimensions', [2, 8, 3, 4, 5], (b) => conv(b, chain(b, b.x, 2, true), 8, [3, 3, 3])),
    over('in front of a convolution of many tiles', [1, 36, 20, 18], (b) =>
      conv(b, chain(b, conv(b, b.x, 40, [3, 3]), 5, true), 70, [3, 3]),
    ),
    over('of many samples, in parts', [70, 4, 5, 5], (b) => conv(b, chain(b, b.x, 2, false), 68, [3, 3])),
    over('of a concat', [2, 8, 4, 6], (b) => {
      const joined = b.add('concat', [b.x, conv(b, b.x, 12, [3, 3])], {}, 'concat');
      return conv(b, chain(b, joined, 5, false), 4, [3, 3]);
    }),
    over('in a residual block with a skip convolution of a concat', [2, 8, 6, 6], (b) => {
      const joined = b.add('concat', [b.x, conv(b, b.x, 12, [3, 3])], {}, 'concat');
      const h = conv(b, joined, 16, [3, 3]);
      const skip = conv(b, joined, 24, [1, 1]);
      return b.add('add', [conv(b, chain(b, h, 4, true), 24, [3, 3]), skip], {}, 'add');
    }),
    over('in front of pooling', [2, 8, 4, 6], (b) =>
      b.add('avg_pool', [chain(b, b.x, 2, false)], { kernel: [2, 2] }, 'pool'),
    ),
    over('in front of nearest upsampling and a convolution', [2, 8, 3, 4], (b) => {
      const up = b.add('upsample_nearest', [chain(b, b.x, 2, false)], { factor: [2, 2] }, 'up');
      return conv(b, up, 8, [3, 3]);
    }),
    over('behind a convolution', [2, 8, 5, 6], (b) =>
      b.add('dropout', [conv(b, b.x, 10, [3, 3])], { p: 0.5 }, 'dropout'),
    ),
    over('on both sides of a convolution', [2, 8, 5, 6], (b) =>
      b.add('dropout', [conv(b, chain(b, b.x, 2, false), 12, [3, 3])], { p: 0.5 }, 'dropout'),
    ),
    over('behind another', [2, 8, 5, 6], (b) => {
      const first = b.add('dropout', [b.x], { p: 0.2 }, 'first');
      return conv(b, b.add('dropout', [first], { p: 0.4 }, 'second'), 8, [3, 3]);
    }),
  ])('%s', async (_, ops) => {
    const expected = referenceOf(ops, inputsOf(ops, SEED), SEED);
    for (const target of await testTargets()) {
      for (const how of VARIANTS) {
        const result = await runOps(ops, SEED, { target, ...how });
        for (const [name, { data, shape }] of expected) {
          expect(result.get(name)!.shape).toEqual(shape);
          const error = relativeError(result.get(name)!.data, data);
          expect(error, `${name}, ${target.name}, ${JSON.stringify(how)}`).toBeLessThan(5e-6);
        }
      }
    }
  });
});

it('a step of training drops by the run’s seed and its number, whole and in microbatches', async () => {
  const { batch, seed, trainingBatch } = goldenTraining('hybrid');
  const text = JSON.stringify(withDropout(JSON.parse(trainingGraph('hybrid'))));
  const { graph } = loadGraph(text, 'hybrid');
  const settings = { update: 1, learning_rate: 0, weight_decay: 0, ema_rates: [] };
  const read = weightsOf(graph, seed);
  const meant = referenceStep(graph, { microbatch: batch, emas: 0, read });
  for (const target of await testTargets()) {
    for (const size of [batch, batch - 1]) {
      const training = { averages: 0, accumulates: size < batch };
      const { bundle } = compileGraph(graph, { batch: size, target, training, dropout: true });
      const step = await programStep(await openProgram(bundle, read), 'test');
      for (const drawn of [
        { seed: 11, step: 0 },
        { seed: 11, step: 1 },
      ]) {
        const found = await step.step(trainingBatch, { ...settings, ...drawn });
        const expected = await meant.step(trainingBatch, { ...settings, ...drawn });
        const how = `${target.name}, ${size} at once, step ${drawn.step}`;
        expect(relativeError(found.losses.loss!, expected.losses.loss!), how).toBeLessThan(TOLERANCE);
        expect(Math.abs(found.grad_norm / expected.grad_norm - 1), how).toBeLessThan(TOLERANCE);
      }
      await step.close();
    }
  }
});

/** A graph with a dropout of 0.3 in every residual block. */
function withDropout(spec: CompactGraph): CompactGraph {
  return Object.fromEntries(
    Object.entries(spec).map(([key, value]) =>
      key === 'unet' || key === 'adm' ? [key, { ...(value as object), dropout: 0.3 }] : [key, value],
    ),
  );
}

describe('the gradients of arbitrary models with dropout', () => {
  const models = fc.sample(drawn(fc.oneof(compactGraphUpTo(8), admGraphUpTo(8)).map(withDropout)), {
    numRuns: Number(asked ?? 6),
    ...(asked === undefined ? { seed: 20210219 } : {}),
  });

  it.each(models.map((model) => [JSON.stringify(model.spec), model] as const))('%s', async (_, model) => {
    const { graph, batch, seed } = model;
    const settings = { batch, gradients: true, dropout: true };
    const ops = modelOps(graph, { ...settings, taps: false, precision: 'f32', gradient: false });
    expect(ops.nodes.filter(({ op }) => op === 'apply_mask').length).toBeGreaterThan(0);
    const row = [0.8, 0.6, 0.5, 0.3, 0.4, -3, -2.5, 0];
    const coefficients = Float32Array.from(Array.from({ length: batch }, () => row).flat());
    const inputs = {
      ...inputsOf(ops, seed),
      coefficients: { shape: [batch, row.length], data: coefficients },
    };
    const expected = [...referenceOf(ops, inputs, seed)];
    const meant = expected.flatMap(([, { data }]) => [...data]);
    for (const target of await testTargets()) {
      for (const fuse of [true, false]) {
        const { bundle } = compileGraph(graph, { ...settings, target, fuse });
        const found = await runBundle(bundle, weightsOf(graph, seed), inputs);
        const all = expected.flatMap(([key]) => [...found.get(key)!.data]);
        expect(relativeError(all, meant), `${target.name}, ${fuse}`).toBeLessThan(TOLERANCE);
      }
    }
  });
});
