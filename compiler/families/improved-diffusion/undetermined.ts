// What a checkpoint's shapes leave open: which keys of the inferred graph are guesses, with what speaks for a value.

import type { Undetermined } from '../family.ts';
import type { KnownGraph, Published } from './published.ts';

/** What the hints depend on. */
export interface Told {
  readonly dims: 1 | 2 | 3;
  /** Downsamplings on the way down. */
  readonly depth: number;
  /** Greatest number of heads that all attentions take; 0 without attention. */
  readonly mostHeads: number;
  readonly superResolution: boolean;
  /** Whether the same tensors could be the other of a plain model and a super-resolution model. */
  readonly eitherSuperResolution: boolean;
  readonly learned: boolean;
}

/** What a form of graph files adds: keywords of a family, or blocks. */
export interface Hints {
  /** Where the model's `in_channels` stand. */
  readonly section: '' | '/unet' | '/adm';
  /** The graph with the same tensors, whose values were taken. */
  readonly known: Published | undefined;
  /** Published graphs of the same levels. */
  readonly alike: readonly Published[];
  /** Keys of the form's own that are guesses. */
  readonly own: readonly Undetermined[];
}

/** Every key that is a guess. */
export function undeterminedKeys(told: Told, { section, known, alike, own }: Hints): readonly Undetermined[] {
  const from = (value: unknown, otherwise: string): string => takenFrom(known, value) ?? otherwise;
  const variance = told.learned ? 'learned or learned_range' : 'fixed_small or fixed_large';
  const diffusion = `steps, noise_schedule, predict, ${variance} as variance, and rescale_timesteps as in training; published models have 4000 cosine or 1000 linear steps`;
  const low = 'any size; 64 for 256 in upsample256, 7 for 28 in mnist-sr';
  const keys: readonly (Undetermined | false)[] = [
    { key: '/image_size', hint: from(known?.image_size, sizes(told, alike)) },
    ...own,
    told.superResolution && {
      key: '/super_resolution/low_res_size',
      hint: from(known?.super_resolution?.low_res_size, low),
    },
    told.eitherSuperResolution && superResolution(told, section),
    { key: '/diffusion', hint: from(JSON.stringify(known?.diffusion), diffusion) },
  ];
  return keys.filter((key) => key !== false);
}

/** Why a value was taken from a known graph; null where there is none. */
export function takenFrom(known: Pick<Published, 'name'> | undefined, value: unknown): string | null {
  return known ? `${value} in ${known.name}, which has the same tensors` : null;
}

/** Guesses among the keywords of `unet`. */
export function unetKeys(told: Told, known: KnownGraph | undefined): readonly Undetermined[] {
  const dropout = { key: '/unet/dropout', hint: 'no effect on sampling' };
  if (told.mostHeads === 0) return [dropout];
  const order =
    'a model of guided-diffusion with heads by width or use_new_attention_order has these tensors, too, and is an adm';
  const hint = takenFrom(known, known?.unet.num_heads ?? 1) ?? `${heads(told)}; ${order}`;
  const upsample = '-1, as num_heads, in every published model';
  return [{ key: '/unet/num_heads', hint }, { key: '/unet/num_heads_upsample', hint: upsample }, dropout];
}

/** Guesses in the explicit form. */
export function blockKeys(told: Told): readonly Undetermined[] {
  const attention = told.mostHeads === 0 ? '' : `the heads and the order of each attention, ${heads(told)}; `;
  return [{ key: '/blocks', hint: `${attention}the dropout of each res_block has no effect on sampling` }];
}

function heads({ mostHeads }: Told): string {
  return `a divisor of ${mostHeads}; published models have 4, lsun256 1, the digit models 2`;
}

function sizes({ dims, depth }: Told, alike: readonly Published[]): string {
  const period = 2 ** depth;
  const what = ['the length', 'height and width', 'height and width'][dims - 1]!;
  const fits = period === 1 ? `${what} may be anything` : `${what} are best multiples of ${period}`;
  return alike.length === 0
    ? fits
    : `${fits}; ${alike.map(({ name, image_size }) => `${image_size} in ${name}`).join(', ')} with the same channel_mult`;
}

function superResolution({ superResolution }: Told, section: Hints['section']): Undetermined {
  return {
    key: `${section}/in_channels`,
    hint: superResolution
      ? 'or twice as many without super_resolution: the first convolution takes an even number of channels'
      : 'or half as many with super_resolution: the first convolution takes an even number of channels',
  };
}
