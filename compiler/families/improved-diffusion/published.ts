// The graphs in graphs/: a checkpoint with exactly their tensors is taken to be theirs, also in what shapes leave open.

import type { ToldUnet } from './fit-keywords.ts';
import type { UnetFile } from './keywords.ts';

type Unet = UnetFile['unet'];
type Channels = Pick<Unet, 'in_channels' | 'out_channels'>;
type Said = Channels &
  Pick<ToldUnet, 'model_channels' | 'num_res_blocks' | 'attention_resolutions' | 'channel_mult'>;

/** A graph file of a family, without its version and its keywords. */
export interface Published {
  readonly name: string;
  readonly image_size: number;
  readonly super_resolution?: { readonly low_res_size: number };
  readonly diffusion: {
    readonly steps: number;
    readonly noise_schedule: 'linear' | 'cosine';
    readonly predict?: 'v';
    readonly variance?: 'fixed_large';
    readonly rescale_timesteps?: true;
  };
}

/** A graph file with `unet`, without its version. */
export interface KnownGraph extends Published {
  readonly unet: Said & Partial<Unet>;
}

const rgb = { in_channels: 3, out_channels: 6 };
const digits = {
  in_channels: 1,
  model_channels: 32,
  out_channels: 2,
  num_res_blocks: 1,
  attention_resolutions: [4],
  channel_mult: [1, 2, 2],
  num_classes: 10,
  num_heads: 2,
  use_scale_shift_norm: true,
};
const imagenet64 = {
  ...rgb,
  num_res_blocks: 3,
  attention_resolutions: [4, 8],
  channel_mult: [1, 2, 3, 4],
  num_heads: 4,
  use_scale_shift_norm: true,
};
const deep = { ...rgb, num_res_blocks: 2, channel_mult: [1, 1, 2, 2, 4, 4] };

export const KNOWN_GRAPHS: readonly KnownGraph[] = [
  {
    name: 'cifar10',
    image_size: 32,
    unet: {
      ...rgb,
      model_channels: 128,
      num_res_blocks: 3,
      attention_resolutions: [2, 4],
      dropout: 0.3,
      channel_mult: [1, 2, 2, 2],
      num_heads: 4,
      use_scale_shift_norm: true,
    },
    diffusion: { steps: 4000, noise_schedule: 'cosine', rescale_timesteps: true },
  },
  {
    name: 'imagenet64',
    image_size: 64,
    unet: { ...imagenet64, model_channels: 128 },
    diffusion: { steps: 4000, noise_schedule: 'cosine', rescale_timesteps: true },
  },
  {
    name: 'imagenet64-cond',
    image_size: 64,
    unet: { ...imagenet64, model_channels: 192, num_classes: 1000 },
    diffusion: { steps: 4000, noise_schedule: 'cosine' },
  },
  {
    name: 'lsun256',
    image_size: 256,
    unet: { ...deep, model_channels: 128, attention_resolutions: [16] },
    diffusion: { steps: 1000, noise_schedule: 'linear' },
  },
  {
    name: 'upsample256',
    image_size: 256,
    unet: {
      ...deep,
      model_channels: 192,
      attention_resolutions: [16, 32],
      num_classes: 1000,
      num_heads: 4,
      use_scale_shift_norm: true,
    },
    super_resolution: { low_res_size: 64 },
    diffusion: { steps: 4000, noise_schedule: 'linear' },
  },
  {
    name: 'mnist',
    image_size: 28,
    unet: digits,
    diffusion: { steps: 1000, noise_schedule: 'cosine', rescale_timesteps: true },
  },
  {
    name: 'mnist-sr',
    image_size: 28,
    unet: digits,
    super_resolution: { low_res_size: 7 },
    diffusion: { steps: 1000, noise_schedule: 'cosine', rescale_timesteps: true },
  },
  {
    name: 'fashion',
    image_size: 28,
    unet: { ...digits, out_channels: 1, channel_mult: [1, 2, 4], num_heads: 4 },
    diffusion: {
      steps: 1000,
      noise_schedule: 'cosine',
      predict: 'v',
      variance: 'fixed_large',
      rescale_timesteps: true,
    },
  },
];

/** What two models must share to have the same tensors, with the defaults of what a graph leaves unsaid. */
const TOLD: Channels & ToldUnet = {
  in_channels: 0,
  model_channels: 0,
  out_channels: 0,
  num_res_blocks: 0,
  attention_resolutions: [],
  channel_mult: [],
  conv_resample: true,
  dims: 2,
  num_classes: null,
  use_scale_shift_norm: false,
  upsample: 'nearest',
};

/** The known graph that has exactly the tensors of this one. */
export function knownGraph(unet: typeof TOLD, superResolution: boolean): KnownGraph | undefined {
  const keys = Object.keys(TOLD) as (keyof typeof TOLD)[];
  return KNOWN_GRAPHS.find((known) => {
    const other = { ...TOLD, ...known.unet };
    return (
      (known.super_resolution !== undefined) === superResolution &&
      keys.every((key) => String(other[key]) === String(unet[key]))
    );
  });
}
