// The keywords of `adm_classifier`: the keyword arguments of guided-diffusion's EncoderUNetModel, with its names and
// defaults. They are those of its UNetModel without what concerns the way up and labels.

import type { z } from 'zod';
import { choice, integer, LIMITS, strict } from '../../format/fields.ts';
import { familyFile } from '../family.ts';
import { adm } from '../guided-diffusion/keywords.ts';

const { num_classes: _classes, upsample: _upsample, ...encoder } = adm.shape;

export const admClassifier = strict({
  ...encoder,
  out_channels: integer(1, LIMITS.classes).describe('Classes.'),
  pool: choice(['adaptive', 'attention', 'spatial', 'spatial_v2'])
    .default('adaptive')
    .describe(
      'How the blocks become logits. adaptive: mean over space. attention: attention of the mean over all positions, in heads of num_head_channels. spatial, spatial_v2: the means of all blocks through two linear layers.',
    ),
});

/** A graph file with `adm_classifier`. */
export const classifierFile = familyFile(
  'adm_classifier',
  admClassifier.describe("The keyword arguments of guided-diffusion's EncoderUNetModel."),
);

/** The same with its defaults filled in. */
export type ClassifierFile = Readonly<z.output<typeof classifierFile>>;
export type ClassifierKeywords = ClassifierFile['adm_classifier'];
