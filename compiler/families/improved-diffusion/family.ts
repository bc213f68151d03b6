// The family of improved-diffusion (Nichol and Dhariwal 2021, arXiv:2102.09672): graph files with `unet`.

import type { Family } from '../family.ts';
import { draftUnet } from './draft.ts';
import { STAND_INS, UNET_SHAPES, type UnetFile, unet, unetFile } from './keywords.ts';
import { KNOWN_GRAPHS } from './published.ts';
import { readCheckpoint } from './read.ts';
import { checkAttention, checkUnused } from './rules.ts';

export type { UnetFile };

export const improvedDiffusion = {
  title: 'improved-diffusion',
  keywords: unet.shape,
  file: unetFile,
  standIns: STAND_INS,
  naming: 'improved-diffusion',
  draft: draftUnet,
  rules: (file, image_size) => [
    ...checkUnused('unet', file.unet),
    ...(image_size ? checkAttention('unet', file.unet, image_size) : []),
  ],
  decides: {
    heads: ['num_heads', 'num_heads_upsample'],
    method: ['upsample', 'conv_resample'],
    conditioning: ['use_scale_shift_norm'],
    skip: ['channel_mult'],
    dropout: ['dropout'],
  },
  shapes: UNET_SHAPES,
  untold: ['num_heads', 'dropout'],
  read: readCheckpoint,
  published: KNOWN_GRAPHS,
} as const satisfies Family<UnetFile>;
