// What a UNet2DModel's shapes leave open: which fields of the inferred graph are guesses, with what published models have.

import type { JsonObject, Undetermined } from '../family.ts';
import { takenFrom } from '../improved-diffusion/undetermined.ts';
import type { KnownUnet2d, ToldUnet2d } from './published.ts';
import type { ModelTensors } from './read-levels.ts';

/** What most models of diffusers' training scripts have. */
const USUAL = { groups: 32, head: 8 } as const;

/** The fields that are guessed, and every key that is a guess. */
export function guessesOf(
  model: ModelTensors,
  told: ToldUnet2d,
  known: KnownUnet2d | undefined,
): { readonly fields: JsonObject; readonly undetermined: readonly Undetermined[] } {
  const normed = told.block_out_channels.reduce(gcd, 0);
  const attended = [...model.down, model.middle, ...model.up]
    .flatMap(({ attention }) => (attention === null ? [] : [attention.channels]))
    .reduce(gcd, 0);
  const groups = largestDivisor(normed, USUAL.groups);
  const ownNorm = told.resnet_time_scale_shift === 'scale_shift' && model.middle.attention?.norm !== null;
  const said = known?.unet_2d ?? {};
  const guessed = {
    center_input_sample: false,
    freq_shift: 0,
    flip_sin_to_cos: true,
    mid_block_scale_factor: 1,
    downsample_padding: 1,
    dropout: 0,
    act_fn: 'silu',
    attention_head_dim: attended % USUAL.head === 0 ? USUAL.head : null,
    norm_num_groups: groups,
    attn_norm_num_groups: ownNorm && model.middle.attention !== null ? groups : null,
    norm_eps: 1e-5,
    ...said,
  };
  const google = 'published DDPM models of google';
  const others = "models of diffusers' training scripts";
  const halved = [...model.down].some(({ resampling }) => resampling === 'conv');
  const key = (field: keyof typeof guessed, hint: string): Undetermined => {
    const value = known === undefined ? undefined : JSON.stringify(guessed[field]);
    const alike = takenFrom(known, value);
    return { key: `/unet_2d/${field}`, hint: alike === null ? hint : `${alike}; ${hint}` };
  };
  const undetermined: readonly (Undetermined | false)[] = [
    { key: '/image_size', hint: sizes(told, known) },
    key('flip_sin_to_cos', `false in ${google}, true in ${others}`),
    key('freq_shift', `1 in ${google}, 0 in ${others}`),
    halved && key('downsample_padding', `0 in ${google}, 1 in ${others}`),
    key('norm_eps', `1e-6 in ${google}, 1e-5 in ${others}`),
    key('norm_num_groups', `a divisor of ${normed}; 32 in nearly every model`),
    attended > 0 &&
      key(
        'attention_head_dim',
        `a divisor of ${attended}, or null for one head; null in ${google}, 8 in ${others}, 64 in those of consistency models`,
      ),
    model.middle.attention !== null &&
      model.middle.attention.norm !== null &&
      key(
        'attn_norm_num_groups',
        ownNorm
          ? `a divisor of ${model.middle.width}; 32 in consistency models`
          : 'null, as norm_num_groups, in nearly every model',
      ),
    key('act_fn', 'silu in every published model'),
    key('center_input_sample', 'false in every published model'),
    key('mid_block_scale_factor', '1 in every published model'),
    key('dropout', 'no effect on sampling'),
    { key: '/diffusion', hint: process(known) },
  ];
  return { fields: guessed as JsonObject, undetermined: undetermined.filter((one) => one !== false) };
}

function sizes(told: ToldUnet2d, known: KnownUnet2d | undefined): string {
  const period = 2 ** (told.block_out_channels.length - 1);
  return (
    takenFrom(known, known?.image_size) ??
    `sample_size of config.json; height and width are multiples of ${period}`
  );
}

function process(known: KnownUnet2d | undefined): string {
  return (
    takenFrom(known, JSON.stringify(known?.diffusion)) ??
    'what scheduler_config.json says: unetc import DIR reads it; published models have 1000 linear steps from 0.0001 to 0.02'
  );
}

/** The greatest divisor of `n` that is a divisor of `most`, too. */
function largestDivisor(n: number, most: number): number {
  return Math.max(1, gcd(n, most));
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
