// Classifier guidance against the original: single steps and a whole chain, both models in one submission on the adapter.

import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import type { Target } from '../../compiler/target.ts';
import { guidedModel } from '../../runtime/guided-model.ts';
import type { Layouts } from '../../runtime/interface.ts';
import type { Model } from '../../runtime/model.ts';
import { createForward } from '../../runtime/sampler/forward.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { sample } from '../../runtime/sampler/sample.ts';
import { samplerDef } from '../../runtime/sampler/samplers/index.ts';
import { takeSteps } from '../../runtime/sampler/take-steps.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { GUIDED_CASES, type GuidedCase, graphOf, rowsOf } from '../guided-cases.ts';
import { openProgram, testTargets } from '../on-device.ts';

/** Absolute, of values near [-1, 1]. */
const OF_A_STEP = 1e-4;
const OF_A_CHAIN = 1e-3;

async function withGuided<T>(
  { model, classifier }: GuidedCase,
  {
    layouts,
    ...options
  }: {
    readonly target: Target;
    readonly batch: number;
    readonly precision?: 'f32' | 'f16';
    readonly layouts?: Layouts;
  },
  work: (guided: Model, apart: Model) => Promise<T>,
): Promise<T> {
  const open = (part: GuidedCase['model'], gradient: boolean) => {
    const graph = graphOf(part);
    const { bundle } = compileGraph(graph, { ...options, gradient });
    return openProgram(bundle, weightsOf(graph, part.seed), layouts && { layouts });
  };
  const programs = [await open(model, false), await open(classifier, true)] as const;
  const guided = guidedModel(...programs);
  // the same two as if each were on a device of its own
  const [alone, beside] = programs.map(({ interface: face, run }): Model => ({ interface: face, run }));
  try {
    return await work(guided, guidedModel(alone!, beside!));
  } finally {
    guided.close();
    for (const program of programs) program.close();
  }
}

describe.each(GUIDED_CASES)('$name', (golden) => {
  const { settings, respacing, scale, sampler, tensors, indices } = golden;
  const process = diffusionProcess(settings, respacing);
  const labels = Array.from(tensors('y').data);
  const requests = labels.map((label, seed) => ({ seed, label }));
  const worst = (found: readonly Float32Array[], name: string): number =>
    Math.max(
      ...rowsOf(tensors, name).flatMap((row, k) =>
        Array.from(row, (value, i) => Math.abs(value - found[k]![i]!)),
      ),
    );

  /** The steps at an index from the x of the file. */
  const stepsAt = async (model: Model, index: number) => {
    const forward = createForward(model, requests, process, { classifier_scale: scale });
    const noise = rowsOf(tensors, `${index}.noise`);
    const steps = rowsOf(tensors, `${index}.x_t`).map((x, k) => {
      const drawn = () => noise[k]!;
      return samplerDef(sampler).step({
        ...{ process, index, x, options: sampler, kept: null, clip: true, noise: drawn },
      });
    });
    return takeSteps(steps, forward.predict);
  };

  test('guided steps agree with the original to 1e-4, on every target', async () => {
    for (const target of await testTargets()) {
      await withGuided(golden, { target, batch: labels.length }, async (guided, apart) => {
        for (const index of indices) {
          const found = await stepsAt(guided, index);
          const at = `${target.name}, index ${index}`;
          const x = found.map((one) => one.x);
          const guesses = found.map(({ guess }) => guess);
          expect(worst(x, `${index}.sample`), at).toBeLessThan(OF_A_STEP);
          expect(worst(guesses, `${index}.pred_xstart`), at).toBeLessThan(OF_A_STEP);
          expect(await stepsAt(apart, index), 'in submissions of their own').toEqual(found);
        }
      });
    }
  });

  test('x that the adapter converts reaches both models, bit for bit', async () => {
    const [target] = await testTargets();
    const batch = labels.length;
    const found: unknown[] = [];
    for (const layouts of ['host', 'adapter'] as const)
      await withGuided(golden, { target: target!, batch, layouts }, async (guided) => {
        found.push(await stepsAt(guided, indices[0]!));
      });
    expect(found[1]).toEqual(found[0]);
  });

  test.runIf(golden.name === 'guided-ddim')('the chain agrees with the original to 1e-3', async () => {
    const noises = rowsOf(tensors, 'chain.noise');
    const start = requests.map((request, k) => ({ ...request, noise: noises[k]! }));
    for (const target of await testTargets()) {
      // rows of one batch, and alone with a row to fill up
      for (const batch of [2, 1]) {
        await withGuided(golden, { target, batch }, async (guided) => {
          const images: Float32Array[] = [];
          const options = { process, sampler, classifier_scale: scale };
          for await (const { image } of sample(guided, start, options)) images.push(image.data);
          expect(worst(images, 'chain.sample'), `${target.name}, batch ${batch}`).toBeLessThan(OF_A_CHAIN);
        });
      }
    }
  });
});
