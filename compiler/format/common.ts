// The keys that the compact and the explicit form share.

import { z } from 'zod';
import { choice, flag, integer, LIMITS, spatial, strict } from './fields.ts';

export const FORMAT_VERSION = 1;

export const head = {
  $schema: z
    .string('a string')
    .optional()
    .describe('Where editors find the JSON schema of this format; it has no effect on the model.'),
  version: z
    .literal(FORMAT_VERSION, `the format version ${FORMAT_VERSION}`)
    .describe('Version of the graph format.'),
  name: z
    .string('a string')
    .regex(/^\P{C}+$/u, 'a name without control characters')
    .max(100, 'a name of at most 100 characters')
    .default('unet')
    .describe('What the model is called in reports and bundles.'),
  image_size: spatial().describe(
    'Size of an image: one number for all dimensions, or one for each, slowest first ([height, width] in 2D).',
  ),
};

export const dims = z
  .union([z.literal(1), z.literal(2), z.literal(3)], '1, 2 or 3')
  .default(2)
  .describe('Spatial dimensions. In 3D only height and width are resampled, the depth is kept.');

export const in_channels = integer(1, LIMITS.image_channels).describe(
  'Channels of one image. A super-resolution model takes twice as many: the noisy image and the upsampled low_res.',
);

export const out_channels = integer(1, 2 * LIMITS.image_channels).describe(
  'Channels of the output: as many as in_channels, or twice as many where the variance is learned.',
);

const probability = 'a number of at least 0 and below 1';

export const dropout = z
  .number(probability)
  .gte(0, probability)
  .lt(1, probability)
  .default(0)
  .describe('Dropout probability in training; it has no effect on sampling.');

export const num_classes = integer(1, LIMITS.classes)
  .nullable()
  .default(null)
  .describe('Number of classes of a class-conditional model, which then takes a label y; null for none.');

const positive = 'a number above 0, or null';
const betaRange = 'a number above 0 and below 1, or null';

/** The keys of `diffusion`. */
export const diffusion = strict({
  steps: integer(2, LIMITS.steps).default(1000).describe('Steps of the diffusion process in training.'),
  noise_schedule: choice(['linear', 'cosine', 'scaled_linear'])
    .default('linear')
    .describe('How the noise grows with the steps.'),
  beta_start: beta(
    'First beta of a linear schedule. Default: 0.0001, times 1000 / steps where it is not scaled_linear.',
  ),
  beta_end: beta(
    'Last beta of a linear schedule. Default: 0.02, times 1000 / steps where it is not scaled_linear.',
  ),
  predict: choice(['epsilon', 'x_start', 'previous_x', 'v'])
    .default('epsilon')
    .describe('What the model predicts: the noise, the image, the image one step back, or the velocity v.'),
  variance: choice(['learned_range', 'learned', 'fixed_small', 'fixed_large'])
    .optional()
    .describe(
      'Variance of a step. Default: learned_range where out_channels is twice in_channels, else fixed_large.',
    ),
  rescale_timesteps: flag()
    .default(false)
    .describe('Feed the model t · 1000 / steps, so that timesteps always lie in 0 to 1000.'),
  timestep_spacing: choice(['leading', 'trailing', 'linspace'])
    .nullable()
    .default(null)
    .describe(
      "How diffusers' schedulers spread the steps of sampling, with all their conventions; null: as improved-diffusion.",
    ),
  steps_offset: integer(0, LIMITS.steps)
    .default(0)
    .describe('Added to the timesteps of the spacing leading.'),
  set_alpha_to_one: flag()
    .default(true)
    .describe("DDIM's last step leads to the image; false: to the noise of timestep 0."),
  clip_range: z
    .number(positive)
    .gt(0, positive)
    .nullable()
    .default(1)
    .describe('Guesses at the image are clipped to [-clip_range, clip_range]; null: never.'),
  loss: choice(['mse', 'rescaled_mse', 'kl', 'rescaled_kl'])
    .optional()
    .describe('What training makes small. Default: rescaled_mse where the variance is learned, else mse.'),
});

export const tail = {
  super_resolution: strict({
    low_res_size: spatial().describe('Size of low_res; it is upsampled bilinearly to image_size.'),
  })
    .optional()
    .describe('Makes the model a SuperResModel: low_res is upsampled and concatenated to the noisy image.'),
  diffusion: diffusion
    .optional()
    .describe('The diffusion process that the model is trained with, and defaults for sampling.'),
  budgets: strict({
    params: budget('Most parameters.'),
    macs: budget('Most multiply-accumulates of a forward pass of one image.'),
    activation_bytes: budget('Most bytes of all activation buffers of a forward pass of one image.'),
    weight_bytes: budget('Most bytes of the parameters.'),
    dispatches: budget('Most dispatches of a forward pass.'),
  })
    .optional()
    .describe(
      'What the model may cost: `unetc diff` and `unetc report` hold it to this; it has no effect on it.',
    ),
};

function beta(description: string) {
  return z.number(betaRange).gt(0, betaRange).lt(1, betaRange).nullable().default(null).describe(description);
}

function budget(description: string) {
  return integer(1, Number.MAX_SAFE_INTEGER).optional().describe(description);
}
