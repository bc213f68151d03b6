// The family of guided-diffusion's noisy classifiers (Dhariwal and Nichol 2021, arXiv:2105.05233): graph files with
// `adm_classifier`.

import type { Family } from '../family.ts';
import { ADM_SHAPES } from '../guided-diffusion/keywords.ts';
import { STAND_INS } from '../improved-diffusion/keywords.ts';
import { draftClassifier } from './draft.ts';
import { admClassifier, type ClassifierFile, classifierFile } from './keywords.ts';
import { KNOWN_CLASSIFIERS } from './published.ts';
import { readCheckpoint } from './read.ts';
import { checkClassifier } from './rules.ts';

export type { ClassifierFile };

export const guidedDiffusionClassifier = {
  title: "guided-diffusion's classifiers",
  keywords: admClassifier.shape,
  file: classifierFile,
  standIns: STAND_INS,
  naming: 'improved-diffusion',
  draft: draftClassifier,
  rules: checkClassifier,
  decides: {
    heads: ['num_head_channels', 'num_heads'],
    order: ['use_new_attention_order'],
    resample: ['resblock_updown'],
    method: ['conv_resample'],
    conditioning: ['use_scale_shift_norm'],
    skip: ['channel_mult'],
    dropout: ['dropout'],
  },
  shapes: { ...ADM_SHAPES, out: ['pool', ...ADM_SHAPES.out] },
  untold: ['num_heads', 'num_head_channels', 'use_new_attention_order', 'dropout'],
  read: readCheckpoint,
  published: KNOWN_CLASSIFIERS,
} as const satisfies Family<ClassifierFile>;
