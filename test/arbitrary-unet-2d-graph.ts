// Arbitrary valid graphs of diffusers' UNet2DModel.

import fc from 'fast-check';
import type { CompactGraph } from './arbitrary-graph.ts';

/** Valid graphs with `unet_2d` over all of its options, with sizes of 4 to `largest`. */
export function unet2dGraphUpTo(largest: number): fc.Arbitrary<CompactGraph> {
  return fc.integer({ min: 1, max: 3 }).chain((levels) => {
    const each = <T>(...choices: T[]) =>
      fc.array(fc.constantFrom(...choices), { minLength: levels, maxLength: levels });
    const period = 2 ** (levels - 1);
    const side = fc.integer({ min: 4 / period, max: largest / period }).map((n) => n * period);
    return fc
      .record({
        size: fc.tuple(side, side),
        fields: fc.record({
          in_channels: fc.integer({ min: 1, max: 4 }),
          out_channels: fc.integer({ min: 1, max: 4 }),
          center_input_sample: fc.boolean(),
          time_embedding_dim: fc.constantFrom(null, 48),
          freq_shift: fc.constantFrom(0, 1),
          flip_sin_to_cos: fc.boolean(),
          down_block_types: each('DownBlock2D', 'AttnDownBlock2D', 'ResnetDownsampleBlock2D'),
          mid_block_type: fc.constantFrom('UNetMidBlock2D', 'UNetMidBlock2D', null),
          up_block_types: each('UpBlock2D', 'AttnUpBlock2D', 'ResnetUpsampleBlock2D'),
          block_out_channels: each(16, 32, 48),
          layers_per_block: fc.integer({ min: 1, max: 2 }),
          mid_block_scale_factor: fc.constantFrom(1, 1, 2),
          downsample_padding: fc.constantFrom(0, 1),
          downsample_type: fc.constantFrom('conv', 'resnet'),
          upsample_type: fc.constantFrom('conv', 'resnet'),
          act_fn: fc.constantFrom('silu', 'swish', 'mish', 'gelu', 'relu'),
          attention_head_dim: fc.constantFrom(null, 4, 8, 16),
          norm_num_groups: fc.constantFrom(4, 8, 16),
          attn_norm_num_groups: fc.constantFrom(null, null, 8),
          norm_eps: fc.constantFrom(1e-5, 1e-6),
          resnet_time_scale_shift: fc.constantFrom('default', 'scale_shift'),
          add_attention: fc.boolean(),
          num_class_embeds: fc.constantFrom(null, 3),
        }),
      })
      .map(({ size, fields }) => ({ version: 1, name: 'arbitrary', image_size: size, unet_2d: fields }));
  });
}
