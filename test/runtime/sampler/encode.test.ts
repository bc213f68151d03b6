import { describe, expect, test } from 'vitest';
import type { Model } from '../../../runtime/model.ts';
import type { DenoiserInputs } from '../../../runtime/sampler/denoiser.ts';
import { type EncodeRequest, encode } from '../../../runtime/sampler/encode.ts';
import { normalNoise } from '../../../runtime/sampler/noise.ts';
import {
  type DiffusionOptions,
  type DiffusionProcess,
  diffusionProcess,
} from '../../../runtime/sampler/process.ts';
import { sample } from '../../../runtime/sampler/sample.ts';
import { elements } from '../../../runtime/tensor.ts';
import { fakeModel } from '../../fake-model.ts';

const SETTINGS = {
  steps: 1000,
  noise_schedule: 'linear',
  predict: 'epsilon',
  variance: 'fixed_small',
  rescale_timesteps: false,
} as const;

const SPREAD = 0.5;

/** The best model of images of independent pixels N(label / 4, SPREAD^2). */
function idealModel(process: DiffusionProcess, batch: number): Model {
  const { interface: face } = fakeModel({ batch, num_classes: 4 });
  return {
    interface: face,
    async run(inputs) {
      const { x, timesteps, y } = inputs as DenoiserInputs;
      const a = process.tables.alphas_cumprod[process.model_timesteps.indexOf(timesteps[0]!)]!;
      const length = elements(x.shape.slice(1));
      const data = x.data.map((value, i) => {
        const mean = Math.sqrt(a) * (y![Math.floor(i / length)]! / 4);
        return (Math.sqrt(1 - a) * (value - mean)) / (a * SPREAD ** 2 + 1 - a);
      });
      return new Map([['output', { shape: x.shape, data }]]);
    },
  };
}

const IMAGES: readonly EncodeRequest[] = [0, 1, 2, 3, 1].map((label, k) => ({
  seed: k,
  label,
  image: normalNoise(k, 0, 72).map((value) => Math.max(-1, Math.min(1, SPREAD * value))),
}));

async function latentsOf(
  steps: string,
  refine: number,
  batch = 2,
  settings: DiffusionOptions = SETTINGS,
): Promise<Float32Array[]> {
  const process = diffusionProcess(settings, steps);
  const rows: Float32Array[] = [];
  const options = { process, refine, clip_denoised: false };
  for await (const { image } of encode(idealModel(process, batch), IMAGES, options)) rows.push(image.data);
  return rows;
}

/** The largest difference between the images and what DDIM makes of their latents. */
async function thereAndBack(
  steps: string,
  refine: number,
  settings: DiffusionOptions = SETTINGS,
): Promise<number> {
  const process = diffusionProcess(settings, steps);
  const latents = await latentsOf(steps, refine, 2, settings);
  const requests = IMAGES.map(({ seed, label }, k) => ({ seed, label: label!, noise: latents[k]! }));
  const options = { process, sampler: { kind: 'ddim', eta: 0 }, clip_denoised: false } as const;
  let worst = 0;
  for await (const { image, position } of sample(idealModel(process, 2), requests, options)) {
    image.data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - IMAGES[position]!.image[i]!));
    });
  }
  return worst;
}

describe('an image comes back from its latent', () => {
  test('by plain steps the nearer, the more they are', async () => {
    expect(await thereAndBack('500', 0)).toBeLessThan(3e-2);
    expect(await thereAndBack('1000', 0)).toBeLessThan(1.5e-2);
  });

  test.each(['10', '20', 'ddim50'])('to 1e-3 by refined steps, when they are few: %s', async (steps) => {
    expect(await thereAndBack(steps, 0)).toBeGreaterThan(1e-2);
    expect(await thereAndBack(steps, 20)).toBeLessThan(1e-3);
  });
});

describe.each(['leading', 'trailing', 'linspace'] as const)(
  'an image comes back, spaced as %s',
  (spacing) => {
    test.each([true, false])(
      'from where the last step leads, set_alpha_to_one %s',
      async (set_alpha_to_one) => {
        const settings: DiffusionOptions = { ...SETTINGS, timestep_spacing: spacing, set_alpha_to_one };
        expect(await thereAndBack('20', 20, settings)).toBeLessThan(1e-3);
      },
    );
  },
);

test('the latent is the noise that the image was made of', async () => {
  const [latent] = await latentsOf('200', 10);
  const { image } = IMAGES[0]!;
  latent!.forEach((value, i) => {
    expect(Math.abs(value - image[i]! / SPREAD)).toBeLessThan(0.05);
  });
});

test('a latent does not depend on the batch, also where others settle later', async () => {
  expect(await latentsOf('10', 20, 5)).toEqual(await latentsOf('10', 20, 1));
});

test('images that do not fit are refused, and values that are not finite stop it', async () => {
  const process = diffusionProcess(SETTINGS, '10');
  const run = async (model: Model, requests: readonly EncodeRequest[]): Promise<void> => {
    for await (const _ of encode(model, requests, { process, refine: 0 }));
  };
  await expect(run(fakeModel({ num_classes: 4 }), [{ seed: 0, image: IMAGES[0]!.image }])).rejects.toThrow(
    'give a label',
  );
  const broken = fakeModel({ num_classes: 4 }, (output) => output.fill(Number.NaN));
  await expect(run(broken, IMAGES)).rejects.toMatchObject({ kind: 'gpu' });
});
