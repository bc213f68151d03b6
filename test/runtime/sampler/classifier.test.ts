import { describe, expect, test } from 'vitest';
import { guidedModel } from '../../../runtime/guided-model.ts';
import { guidedInterface } from '../../../runtime/sampler/classifier.ts';
import { type Denoiser, denoiserOf } from '../../../runtime/sampler/denoiser.ts';
import { encode } from '../../../runtime/sampler/encode.ts';
import { DIFFUSION_DEFAULTS, diffusionProcess } from '../../../runtime/sampler/process.ts';
import type { SampleRequest } from '../../../runtime/sampler/request.ts';
import { type Sample, type SampleOptions, sample } from '../../../runtime/sampler/sample.ts';
import { fakeClassifier, fakeModel } from '../../fake-model.ts';

const process = diffusionProcess(
  {
    ...DIFFUSION_DEFAULTS,
    ...{ steps: 100, noise_schedule: 'cosine', predict: 'epsilon', variance: 'fixed_large' },
    rescale_timesteps: true,
  },
  '5',
);
const OPTIONS: SampleOptions = { process, sampler: { kind: 'ddpm' } };

async function collect<T>(samples: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of samples) list.push(one);
  return list;
}

const labelled = (...labels: readonly number[]): SampleRequest[] =>
  labels.map((label, seed) => ({ seed, label }));

function draw(
  requests: readonly SampleRequest[],
  options: Partial<SampleOptions> = {},
  changes: Partial<Denoiser> = {},
  classes = 10,
): Promise<Sample[]> {
  const { batch = 1 } = changes;
  const model = guidedModel(fakeModel(changes), fakeClassifier({ batch, classes }));
  return collect(sample(model, requests, { ...OPTIONS, ...options }));
}

describe('a classifier and a model that do not go together', () => {
  const model = fakeModel().interface;
  test.each([
    ['another size', fakeClassifier({ image_size: [8, 8] }), 'it takes images of 8x8, and the model of 4x6'],
    [
      'other channels',
      fakeClassifier({ in_channels: 1 }),
      'it takes images of 1 channels, and the model of 3',
    ],
    ['another batch', fakeClassifier({ batch: 2 }), 'it takes 2 images in a pass, and the model 1'],
    ['no gradient', fakeClassifier({ gradient: false }), 'it was compiled without its gradient'],
    ['images', fakeModel(), 'it gives images, so it is no classifier'],
  ])('%s', (_, classifier, message) => {
    const names = { model: 'm.json', classifier: 'c.json' };
    expect(() => guidedInterface(model, classifier.interface)).toThrow(
      `the classifier cannot guide the model: ${message}`,
    );
    expect(() => guidedModel(fakeModel(), classifier, names)).toThrow(
      `c.json cannot guide m.json: ${message}`,
    );
  });

  test('faults come together', () => {
    const classifier = fakeClassifier({ in_channels: 1, image_size: [8, 8], gradient: false });
    expect(() => guidedInterface(model, classifier.interface)).toThrow(/gradient.*channels.*8x8/);
  });
});

describe('what a guided model takes and gives', () => {
  test('is told in a sampler’s words', () => {
    const { interface: face } = guidedModel(
      fakeModel({ batch: 2 }),
      fakeClassifier({ batch: 2, classes: 7 }),
    );
    expect(denoiserOf(face)).toMatchObject({ batch: 2, num_classes: null, classifier_classes: 7 });
    expect(denoiserOf(fakeModel().interface).classifier_classes).toBeNull();
  });

  test('labels go to the classifier alone where the model has no classes', async () => {
    const [model, classifier] = [fakeModel(), fakeClassifier()];
    await collect(sample(guidedModel(model, classifier), labelled(4), OPTIONS));
    expect(model.passes).toHaveLength(5);
    expect(model.passes.every(({ y }) => y === undefined)).toBe(true);
    expect(classifier.passes.map(({ y }) => y)).toEqual(Array.from({ length: 5 }, () => [4]));
    // the same images at the same timesteps, rescaled as the model's
    expect(classifier.passes.map(({ x }) => x.data)).toEqual(model.passes.map(({ x }) => x.data));
    expect(classifier.passes.map(({ timesteps }) => timesteps)).toEqual(
      process.model_timesteps.toReversed().map((t) => [t]),
    );
  });

  test('a pass for the null class asks the model alone', async () => {
    const [model, classifier] = [fakeModel({ num_classes: 11 }), fakeClassifier()];
    const options = { ...OPTIONS, guidance: { scale: 2, null_class: 10 } };
    await collect(sample(guidedModel(model, classifier), labelled(4), options));
    expect(model.passes).toHaveLength(10);
    expect(classifier.passes).toHaveLength(5);
  });
});

describe('a guided sample', () => {
  test('depends on its request alone, whatever the batch', async () => {
    const requests = labelled(1, 5, 2, 9, 9);
    for (const sampler of [{ kind: 'ddpm' }, { kind: 'ddim', eta: 0.5 }, { kind: 'dpmpp' }] as const) {
      const alone = await draw(requests, { sampler });
      for (const batch of [2, 3, 8]) expect(await draw(requests, { sampler }, { batch })).toEqual(alone);
    }
  });

  test('is that of the model at scale 0, and another at 1, which is the usual one', async () => {
    const plain = await collect(sample(fakeModel(), [{ seed: 0 }], OPTIONS));
    const images = (samples: readonly Sample[]) => samples.map(({ image }) => image.data);
    expect(images(await draw(labelled(3), { classifier_scale: 0 }))).toEqual(images(plain));
    const guided = images(await draw(labelled(3)));
    expect(guided).not.toEqual(images(plain));
    expect(images(await draw(labelled(3), { classifier_scale: 1 }))).toEqual(guided);
  });

  test('goes on from where its chain was stopped', async () => {
    const requests = labelled(3, 8);
    const whole = await draw(requests, { classifier_scale: 3 }, { batch: 2 });
    let stopped: Parameters<NonNullable<SampleOptions['onStep']>>[0] | undefined;
    const until = new AbortController();
    const onStep: SampleOptions['onStep'] = (report) => {
      stopped = report;
      if (report.step === 2) until.abort(new Error('enough'));
    };
    const running = draw(requests, { classifier_scale: 3, onStep, signal: until.signal }, { batch: 2 });
    await expect(running).rejects.toThrow('enough');
    const resumed = new Map(stopped!.chains().map(({ position, state }) => [position, state]));
    expect([...resumed.values()].map(({ index }) => index)).toEqual([2, 2]);
    expect(await draw(requests, { classifier_scale: 3, resumed }, { batch: 2 })).toEqual(whole);
  });

  test('is refused where labels mean something else, or a scale is none', async () => {
    await expect(draw(labelled(1), {}, { num_classes: 1000 })).rejects.toThrow(
      'the model has 1000 classes, and the classifier tells 10 apart; a label must mean the same to both',
    );
    await expect(draw([{ seed: 0 }])).rejects.toThrow('the classifier has 10 classes; give a label, 0 to 9');
    await expect(draw(labelled(10))).rejects.toThrow("label 10 is out of range; the classifier's classes");
    await expect(draw(labelled(1), { classifier_scale: 1e39 })).rejects.toThrow(
      'classifier_scale: found 1e+39',
    );
    await expect(draw(labelled(1), { classifier_scale: Number.NaN })).rejects.toThrow(
      'classifier_scale: found NaN',
    );
    await expect(
      collect(sample(fakeModel(), [{ seed: 0 }], { ...OPTIONS, classifier_scale: 1 })),
    ).rejects.toThrow('classifier_scale: no classifier guides the model');
  });

  test('stops at a gradient that is not finite', async () => {
    const classifier = fakeClassifier();
    const run = async (given: Parameters<typeof classifier.run>[0]) => {
      const results = await classifier.run(given);
      results.get('gradient')!.data[5] = Number.NaN;
      return results;
    };
    const model = guidedModel(fakeModel(), { interface: classifier.interface, run });
    await expect(collect(sample(model, labelled(1), OPTIONS))).rejects.toThrow(
      /step 1 of 5 .* the classifier's gradient is NaN/,
    );
  });
});

test('an image is led to the latent that the guided way back leads to it', async () => {
  const image = Float32Array.from({ length: 72 }, (_, i) => 0.2 * Math.sin(i));
  const model = guidedModel(fakeModel(), fakeClassifier());
  const gentle = diffusionProcess({ ...process.settings, noise_schedule: 'linear', steps: 1000 }, 'ddim50');
  const options = { process: gentle, classifier_scale: 0.3, clip_denoised: false };
  const [latent] = await collect(encode(model, [{ seed: 0, label: 3, image }], { ...options, refine: 200 }));
  const back = await collect(
    sample(model, [{ seed: 0, label: 3, noise: latent!.image.data }], {
      ...options,
      sampler: { kind: 'ddim', eta: 0 },
    }),
  );
  const error = Math.max(...back[0]!.image.data.map((value, i) => Math.abs(value - image[i]!)));
  expect(error).toBeLessThan(5e-3);
});
