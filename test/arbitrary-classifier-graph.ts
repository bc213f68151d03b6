// Arbitrary valid classifiers, tiny enough to be run by the reference executor.

import fc from 'fast-check';
import type { CompactGraph } from './arbitrary-graph.ts';

/**
 * Valid graphs with `adm_classifier` over all its options: 1 to 3 dimensions, 1 to 3 levels, every pool, both orders of
 * attention, heads by width and by number, residual blocks that halve the size and layers that do. Sizes are 4 to 8, in three
 * dimensions 4.
 */
export const arbitraryClassifierGraph: fc.Arbitrary<CompactGraph> = fc
  .record({
    dims: fc.constantFrom(1, 2, 2, 3),
    channel_mult: fc.array(fc.constantFrom(1, 2, 1.5), { minLength: 1, maxLength: 3 }),
  })
  .chain(({ dims, channel_mult }) => {
    const period = 2 ** (channel_mult.length - 1);
    const largest = dims === 3 ? 4 : 8;
    const size = fc.integer({ min: Math.ceil(4 / period), max: largest / period }).map((n) => n * period);
    return fc
      .record({
        image_size: fc.tuple(...Array.from({ length: dims }, () => size)),
        in_channels: fc.constantFrom(1, 2, 3),
        out_channels: fc.constantFrom(2, 5, 10),
        num_res_blocks: fc.constantFrom(1, 2),
        attention_resolutions: fc.subarray(channel_mult.map((_, level) => 2 ** level)),
        dropout: fc.constantFrom(0, 0.1),
        conv_resample: fc.boolean(),
        num_heads: fc.constantFrom(1, 2, 4),
        num_head_channels: fc.constantFrom(-1, 8, 16, 32),
        use_scale_shift_norm: fc.boolean(),
        resblock_updown: fc.boolean(),
        use_new_attention_order: fc.boolean(),
        pool: fc.constantFrom('adaptive', 'attention', 'spatial', 'spatial_v2'),
      })
      .map(({ image_size, num_head_channels, ...options }) => {
        const width = options.pool === 'attention' ? Math.abs(num_head_channels) : num_head_channels;
        const adm_classifier = {
          ...options,
          num_head_channels: width,
          model_channels: 64,
          dims,
          channel_mult,
        };
        return { version: 1, name: 'arbitrary', image_size, adm_classifier };
      });
  });
