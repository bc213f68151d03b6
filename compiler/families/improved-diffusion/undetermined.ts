// What a checkpoint's shapes leave open: which keys of the inferred graph are guesses, with what speaks for a value.

import type { Undetermined } from '../family.ts';
import { KNOWN_GRAPHS, type KnownGraph } from './published.ts';

/** What the hints depend on. */
export interface Told {
  readonly form: 'keywords' | 'blocks';
  readonly dims: 1 | 2 | 3;
  /** Downsamplings on the way down. */
  readonly depth: number;
  readonly channel_mult: readonly number[];
  /** Greatest number of heads that all attentions take; 0 without attention. */
  readonly mostHeads: number;
  readonly superResolution: boolean;
  /** Whether the same tensors could be the other of a plain model and a super-resolution model. */
  readonly eitherSuperResolution: boolean;
  readonly learned: boolean;
}

/** Every key that is a guess. `known` is the known graph with the same tensors, whose values were taken. */
export function undeterminedKeys(told: Told, known: KnownGraph | undefined): readonly Undetermined[] {
  const from = (value: unknown, otherwise: string): string =>
    known ? `${value} in ${known.name}, which has the same tensors` : otherwise;
  const variance = told.learned ? 'learned or learned_range' : 'fixed_small or fixed_large';
  const diffusion = `steps, noise_schedule, predict, ${variance} as variance, and rescale_timesteps as in training; published models have 4000 cosine or 1000 linear steps`;
  const low = 'any size; 64 for 256 in upsample256, 7 for 28 in mnist-sr';
  const keys: readonly (Undetermined | false)[] = [
    { key: '/image_size', hint: from(known?.image_size, sizes(told)) },
    ...(told.form === 'keywords'
      ? compactKeys(told, from(known?.unet.num_heads ?? 1, heads(told)))
      : blockKeys(told)),
    told.superResolution && {
      key: '/super_resolution/low_res_size',
      hint: from(known?.super_resolution?.low_res_size, low),
    },
    told.eitherSuperResolution && superResolution(told),
    { key: '/diffusion', hint: from(JSON.stringify(known?.diffusion), diffusion) },
  ];
  return keys.filter((key) => key !== false);
}

function heads({ mostHeads }: Told): string {
  return `a divisor of ${mostHeads}; published models have 4, lsun256 1, the digit models 2`;
}

function compactKeys({ mostHeads }: Told, hint: string): readonly Undetermined[] {
  const dropout = { key: '/unet/dropout', hint: 'no effect on sampling' };
  if (mostHeads === 0) return [dropout];
  const upsample = '-1, as num_heads, in every published model';
  return [{ key: '/unet/num_heads', hint }, { key: '/unet/num_heads_upsample', hint: upsample }, dropout];
}

function blockKeys(told: Told): readonly Undetermined[] {
  const attention = told.mostHeads === 0 ? '' : `the heads of each attention, ${heads(told)}; `;
  return [{ key: '/blocks', hint: `${attention}the dropout of each res_block has no effect on sampling` }];
}

function sizes({ dims, depth, channel_mult }: Told): string {
  const alike = KNOWN_GRAPHS.filter(({ unet }) => String(unet.channel_mult) === String(channel_mult));
  const period = 2 ** depth;
  const what = ['the length', 'height and width', 'height and width'][dims - 1]!;
  const fits = period === 1 ? `${what} may be anything` : `${what} are best multiples of ${period}`;
  return alike.length === 0
    ? fits
    : `${fits}; ${alike.map(({ name, image_size }) => `${image_size} in ${name}`).join(', ')} with the same channel_mult`;
}

function superResolution({ superResolution, form }: Told): Undetermined {
  return {
    key: form === 'keywords' ? '/unet/in_channels' : '/in_channels',
    hint: superResolution
      ? 'or twice as many without super_resolution: the first convolution takes an even number of channels'
      : 'or half as many with super_resolution: the first convolution takes an even number of channels',
  };
}
