// Arbitrary valid graphs of guided-diffusion: those of improved-diffusion with other heads, orders, widths and resampling.

import fc from 'fast-check';
import { type CompactGraph, compactGraphUpTo } from './arbitrary-graph.ts';

/** Valid graphs with `adm` over all of its options, with sizes of 4 to `largest`. */
export function admGraphUpTo(largest: number): fc.Arbitrary<CompactGraph> {
  return fc
    .record({
      file: compactGraphUpTo(largest),
      half: fc.boolean(),
      num_head_channels: fc.constantFrom(-1, -1, 4, 8, 16, 32),
      resblock_updown: fc.constantFrom(true, true, true, false),
      use_new_attention_order: fc.boolean(),
    })
    .map(({ file, half, ...own }) => {
      const { unet, ...rest } = file as { readonly unet: { readonly [key: string]: unknown } };
      const mult = unet.channel_mult as readonly number[];
      // halves of 64: the widths stay multiples of 32
      const widths = half
        ? { model_channels: 64, channel_mult: mult.map((m) => m / 2) }
        : { channel_mult: mult };
      return { ...rest, adm: { ...unet, ...widths, ...own } };
    });
}
