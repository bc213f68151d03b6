// Models as a page is told of them.

import type { PageModel } from '../../web/page-model.ts';

const PART = {
  bundle: 'model',
  memory: 1,
  weights: 'model/w.safetensors',
  digests: { 'model/manifest.json': '0'.repeat(64), 'model/w.safetensors': '1'.repeat(64) },
  bytes: 1,
};

/** Digits of 28x28 in ten classes, as graphs/mnist.json has them. */
export const DIGITS: PageModel = {
  ...{ format: 'unetc-page', version: 1, unetc: '0.1.0', name: 'mnist', digest: 'abc' },
  denoiser: {
    ...{ batch: 4, in_channels: 1, out_channels: 2, image_size: [28, 28], num_classes: 10 },
    ...{ low_res_size: null, classifier_classes: null },
  },
  diffusion: {
    ...{ steps: 1000, noise_schedule: 'cosine', beta_start: null, beta_end: null, predict: 'epsilon' },
    ...{ variance: 'learned_range', rescale_timesteps: true, timestep_spacing: null, steps_offset: 0 },
    ...{ set_alpha_to_one: true, clip_range: 1 },
  },
  ...{ model: PART, classifier: null, names: null, null_class: null },
};

/** The same with other facts of what it takes. */
export function digitsWith(
  denoiser: Partial<PageModel['denoiser']>,
  more: Partial<PageModel> = {},
): PageModel {
  return { ...DIGITS, ...more, denoiser: { ...DIGITS.denoiser, ...denoiser } };
}
