// The graphs of published UNet2DModels in graphs/: a checkpoint with exactly their tensors is taken to be theirs, also in what
// shapes leave open. Fields: the config.json and scheduler_config.json of huggingface.co/google/ddpm-cifar10-32 and
// ddpm-celebahq-256; those of ddpm-church-256, -bedroom-256 and -cat-256 are the latter's.

import type { Unet2d } from './keywords.ts';

/** A graph file with `unet_2d`, without its version. */
export interface KnownUnet2d {
  readonly name: string;
  readonly image_size: number;
  readonly unet_2d: Partial<Unet2d>;
  readonly diffusion: {
    readonly steps: number;
    readonly noise_schedule: 'linear';
    readonly beta_start: number;
    readonly beta_end: number;
    readonly variance: 'fixed_large' | 'fixed_small';
    readonly timestep_spacing: 'leading';
  };
}

/** What the models of the DDPM paper say, converted by its authors' names. */
const ddpm = {
  flip_sin_to_cos: false,
  freq_shift: 1,
  downsample_padding: 0,
  attention_head_dim: null,
  norm_eps: 1e-6,
} as const;

const process = {
  steps: 1000,
  noise_schedule: 'linear',
  beta_start: 0.0001,
  beta_end: 0.02,
} as const;

export const KNOWN_UNET_2D: readonly KnownUnet2d[] = [
  {
    name: 'ddpm-cifar10-32',
    image_size: 32,
    unet_2d: {
      sample_size: 32,
      ...ddpm,
      down_block_types: ['DownBlock2D', 'AttnDownBlock2D', 'DownBlock2D', 'DownBlock2D'],
      up_block_types: ['UpBlock2D', 'UpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'],
      block_out_channels: [128, 256, 256, 256],
    },
    diffusion: { ...process, variance: 'fixed_large', timestep_spacing: 'leading' },
  },
  {
    name: 'ddpm-celebahq-256',
    image_size: 256,
    unet_2d: {
      sample_size: 256,
      ...ddpm,
      down_block_types: [
        'DownBlock2D',
        'DownBlock2D',
        'DownBlock2D',
        'DownBlock2D',
        'AttnDownBlock2D',
        'DownBlock2D',
      ],
      up_block_types: ['UpBlock2D', 'AttnUpBlock2D', 'UpBlock2D', 'UpBlock2D', 'UpBlock2D', 'UpBlock2D'],
      block_out_channels: [128, 128, 256, 256, 512, 512],
    },
    diffusion: { ...process, variance: 'fixed_small', timestep_spacing: 'leading' },
  },
];

/** The fields that the tensors tell, as a checkpoint says them. */
export type ToldUnet2d = Pick<
  Unet2d,
  | 'in_channels'
  | 'out_channels'
  | 'time_embedding_dim'
  | 'down_block_types'
  | 'mid_block_type'
  | 'up_block_types'
  | 'block_out_channels'
  | 'layers_per_block'
  | 'downsample_type'
  | 'upsample_type'
  | 'resnet_time_scale_shift'
  | 'add_attention'
  | 'num_class_embeds'
>;

const DEFAULTS = {
  in_channels: 3,
  out_channels: 3,
  time_embedding_dim: null,
  mid_block_type: 'UNetMidBlock2D',
  layers_per_block: 2,
  downsample_type: 'conv',
  upsample_type: 'conv',
  resnet_time_scale_shift: 'default',
  add_attention: true,
  num_class_embeds: null,
} as const;

/** The known graph that has exactly the tensors of this one. */
export function knownUnet2d(told: ToldUnet2d): KnownUnet2d | undefined {
  const keys = Object.keys(told) as (keyof ToldUnet2d)[];
  return KNOWN_UNET_2D.find(({ unet_2d }) => {
    const other: Partial<Unet2d> = { ...DEFAULTS, ...unet_2d };
    return keys.every((key) => String(other[key]) === String(told[key]));
  });
}
