// The fields of `unet_2d`: what each of them makes of the blocks, the names of its parameters, and the rules.

import { describe, expect, test } from 'vitest';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { printExplicit, toExplicit } from '../../../compiler/graph/explicit.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import type { Layer } from '../../../compiler/layers/index.ts';
import { printLayer } from '../../../compiler/layers/queries.ts';
import { DIFFUSERS_NAMES, goldenGraph } from '../../golden-cases.ts';

const file = (unet_2d: object) => ({
  version: 1,
  image_size: 16,
  unet_2d: {
    block_out_channels: [32, 64],
    down_block_types: ['DownBlock2D', 'AttnDownBlock2D'],
    up_block_types: ['AttnUpBlock2D', 'UpBlock2D'],
    layers_per_block: 1,
    ...unet_2d,
  },
});

const load = (unet_2d: object) => loadGraph(JSON.stringify(file(unet_2d)), 'a.json');

const layersOf = (unet_2d: object): readonly Layer[] =>
  load(unet_2d).graph.blocks.flatMap(({ layers }) => layers.map(({ layer }) => layer));

const middleOf = (unet_2d: object) =>
  load(unet_2d)
    .graph.blocks.find(({ role }) => role === 'middle')!
    .layers.map(({ layer }) => printLayer(layer));

const nameless = (unet_2d: object) => layersOf(unet_2d).map((layer) => printLayer(layer));

function faults(unet_2d: object, more: object = {}): readonly string[] {
  try {
    const { warnings } = loadGraph(JSON.stringify({ ...file(unet_2d), ...more }), 'a.json');
    return warnings.map((d) => `${d.code} ${d.pointer}: ${d.message}`);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return error.diagnostics.map((d) => `${d.code} ${d.pointer}: ${d.message}`);
  }
}

describe('the fields', () => {
  test('an empty config is the model of the class', () => {
    const { graph, warnings } = loadGraph('{ "version": 1, "image_size": 64, "unet_2d": {} }', 'a.json');
    expect(warnings).toEqual([]);
    expect(graph.time_embed).toEqual({ channels: 224, hidden: 896, order: 'cos_sin', shift: 0 });
    const heads = graph.blocks.flatMap(({ layers }) =>
      layers.flatMap(({ layer }) => (layer.type === 'attention' ? [`${layer.channels}/${layer.heads}`] : [])),
    );
    expect(new Set(heads)).toEqual(new Set(['448/56', '672/84', '896/112']));
  });

  test('what save_pretrained writes beside them has no effect', () => {
    const bare = load({}).graph;
    const written = { _class_name: 'UNet2DModel', _diffusers_version: '0.21.4', _name_or_path: null };
    expect(load({ ...written, _use_default_values: ['dropout'], num_train_timesteps: 1000 }).graph).toEqual(
      bare,
    );
    expect(faults({ _class_name: 'UNet2DConditionModel' })).toEqual([
      'G009 /unet_2d/_class_name: found "UNet2DConditionModel", expected "UNet2DModel", the one class whose fields these are',
    ]);
  });

  test('blocks of levels, and the names that the first versions gave them', () => {
    const layers = [
      'conv 3 -> 32 kernel 3',
      'res_block 32 -> 32 additive skip identity',
      'downsample 32 conv',
      'res_block 32 -> 64 additive skip conv1x1',
      'attention 64 heads 8 order qkv_first projections separate',
      'res_block 64 -> 64 additive skip identity',
      'attention 64 heads 8 order qkv_first projections separate',
      'res_block 64 -> 64 additive skip identity',
      'res_block 128 -> 64 additive skip conv1x1',
      'attention 64 heads 8 order qkv_first projections separate',
      'res_block 96 -> 64 additive skip conv1x1',
      'attention 64 heads 8 order qkv_first projections separate',
      'upsample 64 nearest_conv',
      'res_block 96 -> 32 additive skip conv1x1',
      'res_block 64 -> 32 additive skip conv1x1',
    ];
    expect(nameless({})).toEqual(layers);
    const old = {
      down_block_types: ['UNetResDownBlock2D', 'UNetResAttnDownBlock2D'],
      up_block_types: ['UNetResAttnUpBlock2D', 'UNetResUpBlock2D'],
    };
    expect(nameless(old)).toEqual(layers);
  });

  test('levels halve and double in residual blocks by their type, or by what attention blocks say', () => {
    const resized = (unet_2d: object) =>
      nameless(unet_2d).filter((text) => /resample|^(down|up)sample/.test(text));
    expect(resized({ down_block_types: ['ResnetDownsampleBlock2D', 'DownBlock2D'] })).toEqual([
      'res_block 32 -> 32 additive skip identity resample down',
      'upsample 64 nearest_conv',
    ]);
    expect(resized({ up_block_types: ['ResnetUpsampleBlock2D', 'UpBlock2D'] })).toEqual([
      'downsample 32 conv',
      'res_block 64 -> 64 additive skip identity resample up',
    ]);
    expect(resized({ downsample_type: 'resnet', upsample_type: 'resnet' })).toEqual([
      'downsample 32 conv',
      'res_block 64 -> 64 additive skip identity resample up',
    ]);
    expect(resized({ downsample_padding: 0, upsample_type: null })).toEqual([
      'downsample 32 conv padding end',
      'upsample 64 nearest_conv',
    ]);
  });

  test('the middle', () => {
    const res = 'res_block 64 -> 64 additive skip identity';
    const film = 'res_block 64 -> 64 film skip identity';
    const apart = 'order qkv_first projections separate';
    expect(middleOf({ mid_block_type: null })).toEqual(['identity 64']);
    expect(middleOf({ add_attention: false })).toEqual([res, res]);
    expect(middleOf({ resnet_time_scale_shift: 'scale_shift' })).toEqual([
      film,
      `attention 64 heads 8 norm none ${apart}`,
      film,
    ]);
    expect(middleOf({ resnet_time_scale_shift: 'scale_shift', attn_norm_num_groups: 32 })).toEqual([
      film,
      `attention 64 heads 8 ${apart}`,
      film,
    ]);
    expect(
      middleOf({ attn_norm_num_groups: 4, mid_block_scale_factor: 2, attention_head_dim: null }),
    ).toEqual([
      `${res} divisor 2`,
      `attention 64 heads 1 norm 4 groups eps 0.00001 ${apart} divisor 2`,
      `${res} divisor 2`,
    ]);
  });

  test('norms, activation, time and input', () => {
    const fields = { norm_num_groups: 8, norm_eps: 1e-6, act_fn: 'mish', dropout: 0.1 };
    expect(nameless(fields)).toContain(
      'res_block 32 -> 32 additive dropout 0.1 skip identity norm 8 groups eps 0.000001 activation mish',
    );
    expect(load(fields).graph.head.norm).toEqual({ groups: 8, eps: 1e-6 });
    expect(nameless({ act_fn: 'swish' })).toEqual(nameless({}));
    const time = { flip_sin_to_cos: false, freq_shift: 1, time_embedding_dim: 96 };
    expect(load(time).graph.time_embed).toEqual({ channels: 32, hidden: 96, order: 'sin_cos', shift: 1 });
    expect(load({ center_input_sample: true }).graph.center_input).toBe(true);
    expect(load({ num_class_embeds: 10 }).graph.num_classes).toBe(10);
  });

  test('parameters have the names of diffusers', () => {
    const { graph } = load({ num_class_embeds: 10, upsample_type: 'resnet' });
    const names = parameters(graph).map(({ name }) => name);
    expect(names.filter((name) => /^(conv_|time_|class_)|samplers|mid_block.att/.test(name))).toEqual([
      'conv_in.weight',
      'conv_in.bias',
      'time_embedding.linear_1.weight',
      'time_embedding.linear_1.bias',
      'time_embedding.linear_2.weight',
      'time_embedding.linear_2.bias',
      'class_embedding.weight',
      'down_blocks.0.downsamplers.0.conv.weight',
      'down_blocks.0.downsamplers.0.conv.bias',
      ...['norm1', 'conv1', 'time_emb_proj', 'norm2', 'conv2'].flatMap((part) =>
        ['weight', 'bias'].map((tensor) => `up_blocks.0.upsamplers.0.${part}.${tensor}`),
      ),
      ...['group_norm', 'to_q', 'to_k', 'to_v', 'to_out.0'].flatMap((part) =>
        ['weight', 'bias'].map((tensor) => `mid_block.attentions.0.${part}.${tensor}`),
      ),
      'conv_norm_out.weight',
      'conv_norm_out.bias',
      'conv_out.weight',
      'conv_out.bias',
    ]);
  });

  test.each(DIFFUSERS_NAMES)('the explicit form of %s builds an equal graph', (name) => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const text = printExplicit(toExplicit(graph));
    expect(loadGraph(text, name).graph).toEqual(graph);
  });
});

describe('the rules', () => {
  test.each([
    [
      'a head width that does not divide',
      { attention_head_dim: 48 },
      [
        'G012 /unet_2d/attention_head_dim: 64 channels do not divide into heads of 48; use a divisor of 64, or null for one head',
      ],
    ],
    [
      'groups that do not divide',
      { norm_num_groups: 24 },
      [
        'G011 /unet_2d/block_out_channels: input_blocks.1.0 normalises 32 channels, which do not divide into 24 groups; use 24 or 48',
      ],
    ],
    [
      'fewer blocks than levels',
      { down_block_types: ['DownBlock2D'] },
      [
        'G026 /unet_2d/down_block_types: found 1 block types, but block_out_channels has 2 levels; give one for each',
      ],
    ],
    [
      'a shift that leaves no frequencies',
      { freq_shift: 16 },
      [
        'G027 /unet_2d/freq_shift: a time embedding of 32 channels has 16 frequencies, which a shift of 16 makes infinite; use less than 16',
      ],
    ],
    [
      'Fourier features',
      { time_embedding_type: 'fourier' },
      [
        'G009 /unet_2d/time_embedding_type: found "fourier", expected positional: it embeds the logarithm of the timestep by stored random frequencies and divides the output by the timestep, which no graph can express',
      ],
    ],
    [
      'a learned time embedding',
      { time_embedding_type: 'learned' },
      [
        'G009 /unet_2d/time_embedding_type: found "learned", expected positional: it looks timesteps up in a learned table, which no graph can express',
      ],
    ],
    [
      'Skip blocks',
      { down_block_types: ['SkipDownBlock2D', 'DownBlock2D'] },
      [
        'G009 /unet_2d/down_block_types/0: found "SkipDownBlock2D", expected DownBlock2D, AttnDownBlock2D or ResnetDownsampleBlock2D: it filters with FIR kernels and adds the resized image to every level, which no graph can express',
      ],
    ],
    [
      'blocks with a prompt',
      { up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'] },
      [
        'G009 /unet_2d/up_block_types/0: found "CrossAttnUpBlock2D", expected UpBlock2D, AttnUpBlock2D or ResnetUpsampleBlock2D: it attends to a prompt, which no graph can express; models with it are UNet2DConditionModel',
      ],
    ],
    [
      'labels embedded as timesteps',
      { class_embed_type: 'timestep' },
      [
        'G009 /unet_2d/class_embed_type: found "timestep", expected null: it embeds labels as if they were timesteps, which no graph can express; with null they are rows of a table',
      ],
    ],
    [
      'padding that no size survives',
      { downsample_padding: 2 },
      [
        'G009 /unet_2d/downsample_padding: found 2, expected 0 or 1, with which a halved size is met again on the way up',
      ],
    ],
    [
      'an unknown field',
      { attention_head_dims: 8 },
      ['G008 /unet_2d/attention_head_dims: unknown key; did you mean "attention_head_dim"?'],
    ],
    [
      'what never applies',
      { mid_block_type: null, mid_block_scale_factor: 2, add_attention: false, attn_norm_num_groups: 8 },
      [
        'G031 /unet_2d/add_attention: nothing is in the middle, so this never applies; remove it',
        'G031 /unet_2d/attn_norm_num_groups: there is no attention in the middle, so this never applies; remove it',
        'G031 /unet_2d/mid_block_scale_factor: nothing is in the middle, so this never applies; remove it',
      ],
    ],
    [
      'a size that is not the one that is computed',
      { sample_size: [32, 16] },
      [
        'G031 /unet_2d/sample_size: the model was trained on 32x16, and is computed on 16x16, as image_size says',
      ],
    ],
  ])('%s', (_, unet_2d, expected) => {
    expect(faults(unet_2d).toSorted()).toEqual(expected);
  });

  test('a low_res has no place', () => {
    expect(faults({}, { super_resolution: { low_res_size: 8 } })).toEqual([
      'G008 /super_resolution: a UNet2DModel takes one image; leave super_resolution out, and count the channels of what is joined to it in in_channels',
    ]);
  });

  test.each([0, 1])('an odd size is not halved with padding %i', (downsample_padding) => {
    expect(faults({ downsample_padding }, { image_size: 15 })[0]).toMatch(
      /^G013 \/image_size: image_size 15 does not survive the downsamplings/,
    );
  });
});
