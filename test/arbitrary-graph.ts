// Arbitrary valid graphs of the compact form, tiny enough to be run by the reference executor.

import fc from 'fast-check';

/** A compact graph file as a JSON object, for `JSON.stringify`. */
export type CompactGraph = Readonly<Record<string, unknown>>;

/** Divisors of 32 divide every width that the arbitrary makes. */
const heads = fc.constantFrom(1, 2, 4, 8);

/**
 * Valid compact graphs over all options: 1 to 3 dimensions, 1 to 3 levels, classes, super-resolution, attention,
 * both conditionings, both kinds of resampling and of upsampling. Sizes are 4 to 16 and survive the downsamplings.
 */
export const arbitraryCompactGraph: fc.Arbitrary<CompactGraph> = compactGraphUpTo(16);

/** The same with sizes of 4 to `largest` (8 in three dimensions). */
export function compactGraphUpTo(largest: number): fc.Arbitrary<CompactGraph> {
  return fc
    .record({
      dims: fc.constantFrom(1, 2, 2, 3),
      channel_mult: fc.array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 3 }),
    })
    .chain(({ dims, channel_mult }) => {
      const period = 2 ** (channel_mult.length - 1);
      const size = (axis: number): fc.Arbitrary<number> =>
        dims === 3 && axis === 0
          ? fc.integer({ min: 1, max: 4 })
          : fc
              .integer({
                min: Math.ceil(4 / period),
                max: Math.floor((dims === 3 ? Math.min(8, largest) : largest) / period),
              })
              .map((n) => n * period);
      const lowRes = fc.tuple(...Array.from({ length: dims }, () => fc.integer({ min: 1, max: 9 })));
      const ds = channel_mult.map((_, level) => 2 ** level);
      return fc
        .record({
          image_size: fc.tuple(...Array.from({ length: dims }, (_, axis) => size(axis))),
          in_channels: fc.constantFrom(1, 2, 3),
          learned: fc.boolean(),
          model_channels: fc.constantFrom(32, 32, 64),
          num_res_blocks: fc.constantFrom(1, 1, 2),
          attention_resolutions: fc.subarray(ds),
          dropout: fc.constantFrom(0, 0.1),
          conv_resample: fc.boolean(),
          num_classes: fc.constantFrom(null, null, 1, 10),
          num_heads: heads,
          num_heads_upsample: fc.oneof(fc.constant(-1), heads),
          use_scale_shift_norm: fc.boolean(),
          upsample: fc.constantFrom('nearest', 'nearest', 'conv_transpose'),
          low_res_size: fc.option(lowRes, { freq: 3 }),
          diffusion: fc.option(
            fc.record({
              steps: fc.integer({ min: 21, max: 1000 }),
              noise_schedule: fc.constantFrom('linear', 'cosine'),
              predict: fc.constantFrom('epsilon', 'x_start', 'previous_x'),
              rescale_timesteps: fc.boolean(),
            }),
          ),
        })
        .map(({ image_size, learned, low_res_size, diffusion, ...options }) => ({
          version: 1,
          name: 'arbitrary',
          image_size,
          unet: { ...options, out_channels: options.in_channels * (learned ? 2 : 1), dims, channel_mult },
          ...(low_res_size ? { super_resolution: { low_res_size } } : {}),
          ...(diffusion ? { diffusion } : {}),
        }));
    });
}
