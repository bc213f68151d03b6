// The blocks that the keywords make: the constructor of guided-diffusion's EncoderUNetModel (guided_diffusion/unet.py), which
// is its UNetModel without the way up.

import type { Draft } from '../draft.ts';
import { draftAdm } from '../guided-diffusion/draft.ts';
import type { AdmFile } from '../guided-diffusion/keywords.ts';
import type { ClassifierFile } from './keywords.ts';

/** The classifier of `file.adm_classifier`: its blocks level by level down, the middle, and the pool. */
export function draftClassifier(file: ClassifierFile): Draft {
  const draft = draftAdm(wholeModel(file));
  const { pool, num_head_channels } = file.adm_classifier;
  return {
    ...draft,
    blocks: draft.blocks.filter(({ role }) => role !== 'output'),
    // a width of heads that is not said is a fault of its own (rules.ts)
    pool: { type: pool, head_channels: num_head_channels === -1 ? 1 : num_head_channels },
    pointer: (place, field) =>
      field === 'pool/head_channels'
        ? '/adm_classifier/num_head_channels'
        : ownPointer(draft.pointer(place, field)),
  };
}

/** The model whose way down and middle the classifier has. */
export function wholeModel({ adm_classifier: { pool: _, ...keywords }, ...rest }: ClassifierFile): AdmFile {
  return { ...rest, adm: { ...keywords, num_classes: null, upsample: 'nearest' } };
}

/** The place of one of that model's keywords in the classifier's file. */
export function ownPointer(pointer: string): string {
  return pointer.replace(/^\/adm(?=\/)/, '/adm_classifier');
}
