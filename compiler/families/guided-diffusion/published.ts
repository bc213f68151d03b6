// The graphs of guided-diffusion's published models in graphs/: a checkpoint with exactly their tensors is taken to be
// theirs, also in what shapes leave open. Flags: github.com/openai/guided-diffusion, README.

import type { Published } from '../improved-diffusion/published.ts';
import type { AdmFile } from './keywords.ts';

type Adm = AdmFile['adm'];

/** What every published model says. */
type Said = Pick<
  Adm,
  | 'in_channels'
  | 'model_channels'
  | 'out_channels'
  | 'num_res_blocks'
  | 'attention_resolutions'
  | 'channel_mult'
  | 'use_scale_shift_norm'
  | 'resblock_updown'
>;

/** A graph file with `adm`, without its version. */
export interface KnownAdm extends Published {
  readonly adm: Said & Partial<Adm>;
}

const usual = { in_channels: 3, out_channels: 6, use_scale_shift_norm: true, resblock_updown: true };
const imagenet = { ...usual, model_channels: 256, num_res_blocks: 2, num_classes: 1000 };
const upsampler = {
  ...usual,
  model_channels: 192,
  num_res_blocks: 2,
  channel_mult: [1, 1, 2, 2, 4, 4],
  num_classes: 1000,
};
const adm256 = {
  attention_resolutions: [8, 16, 32],
  channel_mult: [1, 1, 2, 2, 4, 4],
  num_head_channels: 64,
};
const linear = { steps: 1000, noise_schedule: 'linear' } as const;

export const KNOWN_ADM: readonly KnownAdm[] = [
  {
    name: 'adm64',
    image_size: 64,
    adm: {
      ...usual,
      model_channels: 192,
      num_res_blocks: 3,
      attention_resolutions: [2, 4, 8],
      dropout: 0.1,
      channel_mult: [1, 2, 3, 4],
      num_classes: 1000,
      num_head_channels: 64,
      use_new_attention_order: true,
    },
    diffusion: { steps: 1000, noise_schedule: 'cosine' },
  },
  {
    name: 'adm128',
    image_size: 128,
    adm: { ...imagenet, attention_resolutions: [4, 8, 16], channel_mult: [1, 1, 2, 3, 4], num_heads: 4 },
    diffusion: linear,
  },
  { name: 'adm256', image_size: 256, adm: { ...imagenet, ...adm256 }, diffusion: linear },
  {
    name: 'adm256-uncond',
    image_size: 256,
    adm: { ...usual, model_channels: 256, num_res_blocks: 2, ...adm256 },
    diffusion: linear,
  },
  {
    name: 'adm512',
    image_size: 512,
    adm: {
      ...imagenet,
      attention_resolutions: [16, 32, 64],
      channel_mult: [0.5, 1, 1, 2, 2, 4, 4],
      num_head_channels: 64,
    },
    diffusion: linear,
  },
  {
    name: 'adm-upsample256',
    image_size: 256,
    adm: { ...upsampler, attention_resolutions: [8, 16, 32], num_heads: 4 },
    super_resolution: { low_res_size: 64 },
    diffusion: linear,
  },
  {
    name: 'adm-upsample512',
    image_size: 512,
    adm: { ...upsampler, attention_resolutions: [16, 32], num_head_channels: 64 },
    super_resolution: { low_res_size: 128 },
    diffusion: linear,
  },
];

/** The keywords that decide the tensors. */
export type ToldAdm = Omit<
  Adm,
  | 'dropout'
  | 'num_heads'
  | 'num_heads_upsample'
  | 'num_head_channels'
  | 'use_new_attention_order'
  | 'use_checkpoint'
>;

/** The known graph that has exactly the tensors of this one. */
export function knownAdm(told: ToldAdm, superResolution: boolean): KnownAdm | undefined {
  const defaults = { conv_resample: true, dims: 2, num_classes: null, upsample: 'nearest' } as const;
  const keys = Object.keys(told) as (keyof ToldAdm)[];
  return KNOWN_ADM.find((known) => {
    const other: ToldAdm = { ...defaults, ...known.adm };
    return (
      (known.super_resolution !== undefined) === superResolution &&
      keys.every((key) => String(other[key]) === String(told[key]))
    );
  });
}
