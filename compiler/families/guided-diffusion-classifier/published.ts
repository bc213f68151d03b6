// The graphs of guided-diffusion's published classifiers: a checkpoint with exactly their tensors is taken to be theirs, also
// in what shapes leave open. Flags: github.com/openai/guided-diffusion, README.

import type { ClassifierKeywords } from './keywords.ts';

/** A graph file with `adm_classifier`, without its version. */
export interface KnownClassifier {
  readonly name: string;
  readonly image_size: number;
  readonly adm_classifier: Pick<
    ClassifierKeywords,
    | 'in_channels'
    | 'model_channels'
    | 'out_channels'
    | 'num_res_blocks'
    | 'attention_resolutions'
    | 'channel_mult'
    | 'num_head_channels'
    | 'use_scale_shift_norm'
    | 'resblock_updown'
    | 'pool'
  >;
}

const usual = { in_channels: 3, model_channels: 128, out_channels: 1000, num_res_blocks: 2 };
const flags = {
  num_head_channels: 64,
  use_scale_shift_norm: true,
  resblock_updown: true,
  pool: 'attention',
} as const;

export const KNOWN_CLASSIFIERS: readonly KnownClassifier[] = [
  {
    name: 'adm64-classifier',
    image_size: 64,
    adm_classifier: {
      ...usual,
      num_res_blocks: 4,
      attention_resolutions: [2, 4, 8],
      channel_mult: [1, 2, 3, 4],
      ...flags,
    },
  },
  {
    name: 'adm128-classifier',
    image_size: 128,
    adm_classifier: {
      ...usual,
      attention_resolutions: [4, 8, 16],
      channel_mult: [1, 1, 2, 3, 4],
      ...flags,
    },
  },
  {
    name: 'adm256-classifier',
    image_size: 256,
    adm_classifier: {
      ...usual,
      attention_resolutions: [8, 16, 32],
      channel_mult: [1, 1, 2, 2, 4, 4],
      ...flags,
    },
  },
  {
    name: 'adm512-classifier',
    image_size: 512,
    adm_classifier: {
      ...usual,
      attention_resolutions: [16, 32, 64],
      channel_mult: [0.5, 1, 1, 2, 2, 4, 4],
      ...flags,
    },
  },
];

/** The keywords that decide the tensors. */
export type ToldClassifier = Omit<
  ClassifierKeywords,
  | 'dropout'
  | 'num_heads'
  | 'num_heads_upsample'
  | 'num_head_channels'
  | 'use_new_attention_order'
  | 'use_checkpoint'
>;

/** The known classifier that has exactly the tensors of this one. */
export function knownClassifier(told: ToldClassifier, image_size: number): KnownClassifier | undefined {
  const defaults = { conv_resample: true, dims: 2 } as const;
  const keys = Object.keys(told) as (keyof ToldClassifier)[];
  return KNOWN_CLASSIFIERS.find((known) => {
    const other: ToldClassifier = { ...defaults, ...known.adm_classifier };
    return known.image_size === image_size && keys.every((key) => String(other[key]) === String(told[key]));
  });
}
