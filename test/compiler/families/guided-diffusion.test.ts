// The keywords of `adm`: what each of them makes of the blocks, and the rules that they are held to.

import { describe, expect, test } from 'vitest';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import type { Layer } from '../../../compiler/layers/index.ts';
import { printLayer } from '../../../compiler/layers/queries.ts';

const file = (adm: object) => ({
  version: 1,
  image_size: 16,
  adm: {
    in_channels: 3,
    model_channels: 64,
    out_channels: 3,
    num_res_blocks: 1,
    attention_resolutions: [2],
    channel_mult: [1, 2],
    ...adm,
  },
});

const load = (adm: object) => loadGraph(JSON.stringify(file(adm)), 'a.json');

const layersOf = (adm: object): readonly Layer[] =>
  load(adm).graph.blocks.flatMap(({ layers }) => layers.map(({ layer }) => layer));

function faults(adm: object): readonly string[] {
  try {
    return load(adm).warnings.map((d) => `${d.code} ${d.pointer}: ${d.message}`);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return error.diagnostics.map((d) => `${d.code} ${d.pointer}: ${d.message}`);
  }
}

describe('the keywords', () => {
  test('without those of its own a model is the one that the same keywords of unet make', () => {
    const { adm, ...rest } = file({ num_heads: 2, num_heads_upsample: 4, conv_resample: false });
    const unet = loadGraph(JSON.stringify({ ...rest, unet: adm }), 'a.json').graph;
    expect(load({ num_heads: 2, num_heads_upsample: 4, conv_resample: false }).graph).toEqual(unet);
  });

  test('resblock_updown halves and doubles in residual blocks of the channels around them', () => {
    const resampling = layersOf({ resblock_updown: true, use_scale_shift_norm: true, dropout: 0.1 })
      .filter((layer) => layer.type !== 'res_block' || layer.resample !== 'none')
      .map((layer) => printLayer(layer));
    expect(resampling).toEqual([
      'conv 3 -> 64 kernel 3',
      'res_block 64 -> 64 film dropout 0.1 skip identity resample down',
      'attention 128 heads 1',
      'attention 128 heads 1',
      'attention 128 heads 1',
      'attention 128 heads 1',
      'res_block 128 -> 128 film dropout 0.1 skip identity resample up',
    ]);
  });

  test('num_head_channels decides the heads by width, also on the way up', () => {
    const heads = layersOf({
      channel_mult: [1, 2],
      attention_resolutions: [1, 2],
      num_heads: 8,
      num_head_channels: 32,
    }).flatMap((layer) => (layer.type === 'attention' ? [`${layer.channels}/${layer.heads}`] : []));
    expect(heads).toEqual(['64/2', '128/4', '128/4', '128/4', '128/4', '64/2', '64/2']);
  });

  test('use_new_attention_order is the order of q, k and v', () => {
    const orders = (adm: object) =>
      new Set(layersOf(adm).flatMap((layer) => (layer.type === 'attention' ? [layer.order] : [])));
    expect(orders({})).toEqual(new Set(['heads_first']));
    expect(orders({ use_new_attention_order: true })).toEqual(new Set(['qkv_first']));
  });

  test('multipliers may be fractions, and the first is that of the first convolution and the head', () => {
    const { graph } = load({ channel_mult: [0.5, 1.5] });
    expect(graph.blocks[0]!.layers[0]!.layer).toMatchObject({ type: 'conv', out_channels: 32 });
    expect(graph.head.channels).toBe(32);
    expect(graph.time_embed).toMatchObject({ channels: 64, hidden: 256 });
    expect(load({ model_channels: 100, channel_mult: [0.649] }).graph.head.channels).toBe(64);
  });
});

describe('the rules', () => {
  test.each([
    [
      'a head width that does not divide',
      { num_head_channels: 48 },
      ['G012 /adm/num_head_channels: 128 channels do not divide into heads of 48; use a divisor of 128'],
    ],
    [
      'heads that do not divide',
      { num_heads: 3 },
      ['G012 /adm/num_heads: 128 channels do not divide into 3 heads; use 2, 4 or 8'],
    ],
    [
      'a fraction that gives no multiple of 32',
      { channel_mult: [0.7, 1] },
      [
        'G011 /adm/channel_mult: input_blocks.1.0 normalises 44 channels, which do not divide into 32 groups; use 32 or 64',
      ],
    ],
    [
      'a fraction that gives no channels',
      { channel_mult: [0.001, 1] },
      [
        'G011 /adm/channel_mult: input_blocks.1.0 normalises 1 channels, which do not divide into 32 groups; use 32',
        'G025 /adm/channel_mult: a residual block takes its time embedding four channels at a time, and 1 are no multiple of four; use 4',
      ],
    ],
    [
      'a multiplier of nothing',
      { channel_mult: [0] },
      ['G009 /adm/channel_mult/0: found 0, expected a number above 0 and at most 32'],
    ],
    [
      'what resblock_updown overrides',
      { resblock_updown: true, upsample: 'conv_transpose', conv_resample: false },
      [
        'G031 /adm/upsample: resblock_updown decides, so this never applies; remove it',
        'G031 /adm/conv_resample: resblock_updown decides, so this never applies; remove it',
      ],
    ],
    [
      'what num_head_channels overrides',
      { num_head_channels: 32, num_heads_upsample: 2 },
      ['G031 /adm/num_heads_upsample: num_head_channels decides, so this never applies; remove it'],
    ],
    [
      'resampling of one level',
      { resblock_updown: true, channel_mult: [1], attention_resolutions: [] },
      ['G031 /adm/resblock_updown: a model of one level has no resampling, so this never applies; remove it'],
    ],
    [
      'an attention that no level has',
      { attention_resolutions: [16] },
      [
        'G030 /adm/attention_resolutions/0: the downsampling factor 16 is never reached, so it adds no attention: the levels have 1, 2; if 16 pixels were meant, write 1',
      ],
    ],
  ])('%s', (_, adm, expected) => {
    expect(faults(adm)).toEqual(expected);
  });

  test('an odd size is not halved', () => {
    const text = JSON.stringify({ ...file({ resblock_updown: true }), image_size: 15 });
    expect(() => loadGraph(text, 'a.json')).toThrow(/image_size 15 does not survive the downsamplings/);
  });
});
