// The family of guided-diffusion (Dhariwal and Nichol 2021, arXiv:2105.05233), known as ADM: graph files with `adm`.

import type { Family } from '../family.ts';
import { STAND_INS } from '../improved-diffusion/keywords.ts';
import { draftAdm } from './draft.ts';
import { ADM_SHAPES, type AdmFile, adm, admFile } from './keywords.ts';
import { KNOWN_ADM } from './published.ts';
import { readCheckpoint } from './read.ts';
import { checkAdm } from './rules.ts';

export type { AdmFile };

export const guidedDiffusion = {
  title: 'guided-diffusion',
  keywords: adm.shape,
  file: admFile,
  standIns: STAND_INS,
  naming: 'improved-diffusion',
  draft: draftAdm,
  rules: (file, image_size) => checkAdm(file.adm, draftAdm(file), image_size),
  decides: {
    heads: ['num_head_channels', 'num_heads', 'num_heads_upsample'],
    order: ['use_new_attention_order'],
    resample: ['resblock_updown'],
    method: ['upsample', 'conv_resample'],
    conditioning: ['use_scale_shift_norm'],
    skip: ['channel_mult'],
    dropout: ['dropout'],
  },
  shapes: ADM_SHAPES,
  untold: ['num_heads', 'num_head_channels', 'use_new_attention_order', 'dropout'],
  read: readCheckpoint,
  published: KNOWN_ADM,
} as const satisfies Family<AdmFile>;
