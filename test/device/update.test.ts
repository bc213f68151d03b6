// Steps of training on every target: losses and gradients against those of the same weights packed by the host, and what the
// device makes of parameters, moments and moving averages against AdamW on the host over the gradients that it computed.

import { describe, expect, it } from 'vitest';
import { type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { GENERIC, type Target } from '../../compiler/target.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { adamwUpdate, gradientScale } from '../../runtime/training/adamw.ts';
import { lossInputs, type TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import type { TrainedTensors } from '../../runtime/training/training-step.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { openProgram, relativeError, runBundle, testTargets } from '../on-device.ts';
import { goldenTraining } from '../training-cases.ts';

const BY = { learning_rate: 1e-3, weight_decay: 0.05, ema_rates: [0.9, 0.99] } as const;

/** Both round to float32, and WGSL lets a division be some roundings off. */
const TOLERANCE = 1e-6;

/** One parameter before its first update. */
function trainedFrom(values: Float32Array) {
  const zeros = () => new Float32Array(values.length);
  return {
    parameters: values.slice(),
    exp_avg: zeros(),
    exp_avg_sq: zeros(),
    emas: BY.ema_rates.map(() => values.slice()),
  };
}

async function openStep(graph: Graph, seed: number, options: CompileOptions) {
  const { bundle } = compileGraph(graph, options);
  const program = await openProgram(bundle, weightsOf(graph, seed));
  const step = await programStep(program, 'test');
  const gradients = async () => {
    const found = new Map<string, Float32Array>();
    const names = step.parameters.map(({ name }) => `grad.${name}`);
    await program.state.readAll(names, (name, { data }) => found.set(name, data));
    return found;
  };
  return { step, gradients };
}

/** Gradients and losses with weights that the host packs. */
function computedAlone(
  graph: Graph,
  options: CompileOptions,
  weights: (name: string) => Float32Array,
  batch: TrainingBatch,
) {
  const { bundle } = compileGraph(graph, { ...options, training: undefined, gradients: true });
  return runBundle(bundle, weights, lossInputs(diffusionProcess(graph.diffusion), batch));
}

function joined(tensors: Iterable<{ readonly data: Float32Array } | Float32Array>): Float64Array {
  return Float64Array.from([...tensors].flatMap((one) => [...('data' in one ? one.data : one)]));
}

describe.each(['additive-class', 'conv-transpose', 'hybrid', 'superres', 'volume-3d'])('%s', (name) => {
  it('changes parameters as AdamW does, and computes the next step with them', async () => {
    const { graph, batch, seed, trainingBatch } = goldenTraining(name);
    for (const target of await testTargets()) {
      const options = { batch, target, training: { averages: 2, accumulates: false, waits: true } };
      const { step, gradients } = await openStep(graph, seed, options);
      const read = weightsOf(graph, seed);
      const names = step.parameters.map((parameter) => parameter.name);
      const expected = new Map(names.map((one) => [one, trainedFrom(read(one))]));
      for (const update of [1, 2]) {
        const weights = await step.read({ kind: 'parameters' });
        // the second is scaled down to a norm that every one of these gradients exceeds
        const clipped = update === 2 ? { max_grad_norm: 1e-2 } : {};
        const ran = await step.step(trainingBatch, { ...BY, ...clipped, update, seed: 0, step: update - 1 });
        const alone = await computedAlone(graph, options, (one) => weights.get(one)!.data, trainingBatch);
        for (const [term, values] of Object.entries(ran.losses)) {
          const error = relativeError(values, alone.get(`loss.${term}`)!.data);
          expect(error, `${term}, ${target.name}`).toBeLessThan(3e-6);
        }
        const found = await gradients();
        const all = joined(found.values());
        expect(relativeError(all, joined([...found.keys()].map((key) => alone.get(key)!)))).toBeLessThan(
          1e-5,
        );
        const norm = Math.sqrt(all.reduce((sum, value) => sum + value * value, 0));
        expect(Math.abs(ran.grad_norm / norm - 1), target.name).toBeLessThan(TOLERANCE);
        const factor = gradientScale(norm ** 2, clipped)!;
        expect(factor < 1, target.name).toBe(update === 2);
        for (const [one, trained] of expected) {
          const of = { ...trained, parameter: trained.parameters };
          adamwUpdate(of, found.get(`grad.${one}`)!, { ...BY, update }, factor);
        }
      }
      const kinds: readonly TrainedTensors[] = [
        ...(['parameters', 'exp_avg', 'exp_avg_sq'] as const).map((kind) => ({ kind })),
        ...[0, 1].map((index) => ({ kind: 'ema' as const, index })),
      ];
      for (const which of kinds) {
        const found = await step.read(which);
        for (const [one, trained] of expected) {
          const values = which.kind === 'ema' ? trained.emas[which.index]! : trained[which.kind];
          const error = relativeError(found.get(one)!.data, values);
          expect(error, `${which.kind} of ${one}, ${target.name}`).toBeLessThan(TOLERANCE);
        }
      }
      await step.close();
    }
  });
});

it('leaves frozen parameters as they are, and changes the others as it would without', async () => {
  const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
  const training = { averages: 1, accumulates: false };
  const settings = { ...BY, ema_rates: [0.9], seed: 0 };
  // biases without their weights, a norm, parts of merged time projections, the biases of a convolution and its 1x1 skip
  const frozen = parameters(graph)
    .map(({ name }) => name)
    .filter((name) => /^(time_embed|input_blocks\.[01]|middle_block)|skip_connection\.bias/.test(name));
  const read = weightsOf(graph, seed);
  for (const target of await testTargets()) {
    const run = async (names: readonly string[]) => {
      const { step } = await openStep(graph, seed, {
        batch,
        target,
        training: { ...training, frozen: names },
      });
      const first = await step.step(trainingBatch, { ...settings, update: 1, step: 0 });
      const moments = await step.read({ kind: 'exp_avg' });
      const after = await step.read({ kind: 'parameters' });
      const average = await step.read({ kind: 'ema', index: 0 });
      const second = await step.step(trainingBatch, { ...settings, update: 2, step: 1 });
      const alone = await computedAlone(
        graph,
        { batch, target },
        (one) => after.get(one)!.data,
        trainingBatch,
      );
      // the second step computes with what the first has left of both kinds
      expect(relativeError(second.losses.loss!, alone.get('loss.loss')!.data)).toBeLessThan(3e-6);
      await step.close();
      return { first, moments, after, average };
    };
    const [all, some] = [await run([]), await run(frozen)];
    expect(some.first.losses.loss).toEqual(all.first.losses.loss);
    expect([...some.moments.keys()]).toEqual([...all.moments.keys()].filter((one) => !frozen.includes(one)));
    const those = [...some.moments.keys()].map((one) => all.moments.get(one)!);
    expect(relativeError(joined(some.moments.values()), joined(those)), target.name).toBeLessThan(1e-6);
    expect([...some.after.keys()]).toEqual([...all.after.keys()]);
    for (const name of frozen) {
      expect(some.after.get(name)!.data, name).toEqual(Float32Array.from(read(name)));
      expect(some.average.get(name), name).toEqual(some.after.get(name));
    }
  }
});

describe('parameters that change as soon as their gradients are there', () => {
  const kinds = [
    ...(['parameters', 'exp_avg', 'exp_avg_sq'] as const).map((kind) => ({ kind })),
    ...[0, 1].map((index) => ({ kind: 'ema' as const, index })),
  ];
  /** A target that may bind so little that parameters stand in many arenas. */
  const small = (target: Target): Target => ({
    ...target,
    limits: { ...target.limits, maxStorageBufferBindingSize: 2 ** 16 * 5 },
  });
  const settings = (update: number) => ({ ...BY, update, seed: 7, step: update });

  it.each(['hybrid', 'conv-transpose'])('are those that wait for all gradients, %s', async (name) => {
    const { graph, batch, seed, trainingBatch } = goldenTraining(name);
    for (const target of (await testTargets()).map(small)) {
      const run = async (waits: boolean) => {
        const training = { averages: 2, accumulates: false, waits };
        const { step } = await openStep(graph, seed, { batch, target, training, dropout: true });
        const results = [];
        for (const update of [1, 2, 3]) results.push(await step.step(trainingBatch, settings(update)));
        const values = await Promise.all(kinds.map((which) => step.read(which)));
        const { bytes } = step;
        await step.close();
        return { results, values, bytes };
      };
      const [soon, late] = [await run(false), await run(true)];
      expect(soon.values, target.name).toEqual(late.values);
      expect(soon.bytes).toBeLessThan(late.bytes);
      for (const [i, { losses, grad_norm, taken }] of soon.results.entries()) {
        expect(losses, target.name).toEqual(late.results[i]!.losses);
        // the same squares, summed in another order
        expect(Math.abs(grad_norm / late.results[i]!.grad_norm - 1), target.name).toBeLessThan(TOLERANCE);
        expect(taken).toBe(true);
      }
    }
  });

  it('stay as they are where the loss is not finite, and the kernel that made it is found', async () => {
    const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
    const options = { batch, target: small(GENERIC), training: { averages: 2, accumulates: false } };
    const { step } = await openStep(graph, seed, options);
    const before = await Promise.all(kinds.map((which) => step.read(which)));
    const { shape, data } = trainingBatch.noise as Tensor;
    const noise = { shape, data: data.map((value, i) => (i === 3 ? 3e38 : value)) };
    const broken = { ...trainingBatch, noise };
    const ran = await step.step(broken, settings(1));
    expect(ran.taken).toBe(false);
    expect(ran.losses.loss!.some(Number.isNaN)).toBe(true);
    expect(await step.findBadKernel!(broken, settings(1))).toEqual({
      kernel: expect.stringMatching(/ of input_blocks\.0\.0 .* values are not finite/),
      exact: true,
    });
    expect(await Promise.all(kinds.map((which) => step.read(which)))).toEqual(before);
    expect((await step.step(trainingBatch, settings(1))).taken).toBe(true);
    await step.close();
  });

  it('are given to nobody where gradients overflowed behind the change of others', async () => {
    const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
    const options = { batch, target: small(GENERIC), training: { averages: 2, accumulates: false } };
    const late = { ...options, training: { ...options.training, waits: true } };
    const { step: whole, gradients } = await openStep(graph, seed, late);
    await whole.step(trainingBatch, settings(1));
    const found = await gradients();
    const normOf = (names: readonly string[]) =>
      Math.sqrt(joined(names.map((name) => found.get(`grad.${name}`)!)).reduce((sum, g) => sum + g * g, 0));
    const { arenas } = compileGraph(graph, options).schedule.update!;
    const norms = [arenas.slice(0, 1), arenas].map((some) =>
      normOf(some.flatMap(({ parameters }) => parameters.map(({ name }) => name))),
    );
    expect(norms[1]! / norms[0]!).toBeGreaterThan(1.2);
    await whole.close();
    // the squares of the first arena are float32, and those of all are more
    const scale = Math.sqrt(3.4e38 / (norms[0]! * norms[1]!));
    const scaled = { ...trainingBatch, weights: Array.from(trainingBatch.timesteps).map(() => scale) };
    const { step } = await openStep(graph, seed, options);
    const ran = await step.step(scaled, settings(1));
    expect(ran).toMatchObject({ taken: false });
    expect(ran.losses.loss!.every(Number.isFinite)).toBe(true);
    const refusal = 'a step whose gradients are not finite changed some of the parameters';
    await expect(step.read({ kind: 'parameters' })).rejects.toThrow(refusal);
    await expect(step.step(trainingBatch, settings(2))).rejects.toThrow(refusal);
    // every gradient is finite, and the squares of those that came late are not
    expect(await step.findBadKernel!(scaled, settings(1))).toEqual({ kernel: null, exact: false });
    await step.close();
  });

  it('have no largest norm', async () => {
    const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
    const { step } = await openStep(graph, seed, { batch, training: { averages: 2, accumulates: false } });
    await expect(step.step(trainingBatch, { ...settings(1), max_grad_norm: 1 })).rejects.toThrow(
      'a largest norm of the gradients is asked for, and the step was compiled for none',
    );
    await step.close();
  });
});

describe('microbatches', () => {
  it('change parameters as the whole batch does, also where the last one is not full', async () => {
    const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
    const { gradients, step } = await openStep(graph, seed, {
      batch,
      training: { averages: 1, accumulates: false, waits: true },
    });
    const settings = { ...BY, ema_rates: [0.9], update: 1, seed: 0, step: 0 };
    const weights = Array.from({ length: batch }, (_, i) => 0.5 + i);
    const whole = await step.step({ ...trainingBatch, weights }, settings);
    const expected = joined((await gradients()).values());
    expect(expected.some((value) => value !== 0)).toBe(true);
    const changed = joined((await step.read({ kind: 'exp_avg' })).values());
    await step.close();
    for (const size of [1, batch - 1, batch + 1]) {
      const parts = await openStep(graph, seed, {
        batch: size,
        training: { averages: 1, accumulates: true },
      });
      for (const update of [1, 2]) {
        // a second step must not add to the gradients of the first
        const ran = await parts.step.step(
          { ...trainingBatch, weights },
          { ...settings, update, learning_rate: 0 },
        );
        expect(Math.abs(ran.grad_norm / whole.grad_norm - 1), `${size}`).toBeLessThan(1e-6);
        expect(relativeError(ran.losses.loss!, whole.losses.loss!), `${size}`).toBeLessThan(1e-6);
        if (update > 1) continue;
        const found = joined((await parts.step.read({ kind: 'exp_avg' })).values());
        expect(relativeError(found, changed), `${size}`).toBeLessThan(1e-6);
      }
      await parts.step.close();
    }
  });

  it('change nothing where a gradient is not finite, and the next step is as if there had been none', async () => {
    const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
    const parts = { batch: batch - 1, training: { averages: 1, accumulates: true } };
    const settings = { ...BY, ema_rates: [0.9], update: 1, seed: 0, step: 0 };
    const kinds = [{ kind: 'parameters' }, { kind: 'exp_avg' }, { kind: 'ema', index: 0 }] as const;
    const valuesAfter = async (huge: boolean) => {
      const { step } = await openStep(graph, seed, parts);
      if (huge) {
        const before = await Promise.all(kinds.map((which) => step.read(which)));
        const weights = Array.from({ length: batch }, () => 3e38);
        const ran = await step.step({ ...trainingBatch, weights }, settings);
        expect(ran.taken).toBe(false);
        expect(await Promise.all(kinds.map((which) => step.read(which)))).toEqual(before);
      }
      expect((await step.step(trainingBatch, settings)).taken).toBe(true);
      const values = await Promise.all(kinds.map(async (which) => joined((await step.read(which)).values())));
      await step.close();
      return values;
    };
    expect(await valuesAfter(true)).toEqual(await valuesAfter(false));
  });

  it('need a step that was compiled for them', async () => {
    const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
    const { step } = await openStep(graph, seed, { batch: 1, training: { averages: 0, accumulates: false } });
    const settings = { ...BY, ema_rates: [], update: 1, seed: 0, step: 0 };
    await expect(step.step(trainingBatch, settings)).rejects.toThrow(
      `a batch of ${batch} samples is more than the 1 that the step was compiled for`,
    );
    await step.close();
  });
});

it('puts back what was read: two steps from there give the same bytes', async () => {
  const { graph, batch, seed, trainingBatch } = goldenTraining('conv-transpose');
  const { step } = await openStep(graph, seed, { batch, training: { averages: 1, accumulates: false } });
  const kinds = [
    { kind: 'parameters' },
    { kind: 'exp_avg' },
    { kind: 'exp_avg_sq' },
    { kind: 'ema', index: 0 },
  ] as const;
  const run = async () => {
    for (const update of [2, 3]) {
      await step.step(trainingBatch, { ...BY, ema_rates: [0.9], update, seed: 0, step: update });
    }
    return Promise.all(kinds.map(async (which) => joined((await step.read(which)).values())));
  };
  await step.step(trainingBatch, { ...BY, ema_rates: [0.9], update: 1, seed: 0, step: 1 });
  const kept = await Promise.all(kinds.map((which) => step.read(which)));
  const first = await run();
  for (const [i, which] of kinds.entries()) await step.write(which, kept[i]!);
  expect(await run()).toEqual(first);
  await step.close();
});
