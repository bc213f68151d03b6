import { describe, expect, test } from 'vitest';
import { GraphError, last } from '../../../compiler/diagnostics.ts';
import { LATER_DIFFUSION } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';

type Fields = Readonly<Record<string, unknown>>;

const unet = {
  in_channels: 3,
  model_channels: 32,
  out_channels: 3,
  num_res_blocks: 1,
  attention_resolutions: [2],
  channel_mult: [1, 2],
};

function compact(fields: Fields = {}, top: Fields = {}): object {
  return { version: 1, name: 'a', image_size: 16, unet: { ...unet, ...fields }, ...top };
}

const res = (in_channels: number, out_channels: number, more: Fields = {}) => ({
  type: 'res_block',
  in_channels,
  out_channels,
  ...more,
});
const down = (channels: number) => ({ type: 'downsample', channels });
const up = (channels: number) => ({ type: 'upsample', channels });
const conv = (in_channels: number, out_channels: number) => ({ type: 'conv', in_channels, out_channels });

/** Blocks as lists of layers. */
function explicit(input: object[][], middle: object[], output: object[][], top: Fields = {}): object {
  const block = (layers: object[]) => ({ layers });
  return {
    version: 1,
    name: 'a',
    image_size: 16,
    in_channels: 3,
    out_channels: 3,
    time_embed: { channels: 32, hidden: 128 },
    ...top,
    blocks: { input: input.map(block), middle: block(middle), output: output.map(block) },
  };
}

/** All findings as `severity code pointer: message`, whether the graph loads or not. */
function findings(file: object, size?: readonly number[]): readonly string[] {
  const show = (list: GraphError['diagnostics']) =>
    list.map((d) => `${d.severity} ${d.code} ${d.pointer}: ${d.message}`);
  try {
    return show(loadGraph(JSON.stringify(file), 'a.json', { size }).warnings);
  } catch (error) {
    if (error instanceof GraphError) return show(error.diagnostics);
    throw error;
  }
}

const load = (file: object) => loadGraph(JSON.stringify(file), 'a.json').graph;
const layersOf = (file: object) => load(file).blocks.map((b) => b.layers.map((l) => l.layer));

describe('the compact form', () => {
  test('builds the blocks of the original constructor', () => {
    const graph = load(
      compact({ num_heads: 2, num_heads_upsample: 4, use_scale_shift_norm: true, dropout: 0.1 }),
    );
    const told = graph.blocks.map((b) => `${b.path}: ${b.layers.map((l) => l.layer.type).join(' ')}`);
    expect(told).toEqual([
      'input_blocks.0: conv',
      'input_blocks.1: res_block',
      'input_blocks.2: downsample',
      'input_blocks.3: res_block attention',
      'middle_block: res_block attention res_block',
      'output_blocks.0: res_block attention',
      'output_blocks.1: res_block attention upsample',
      'output_blocks.2: res_block',
      'output_blocks.3: res_block',
    ]);
    expect(graph.blocks[6]!.layers.map((l) => l.layer)).toEqual([
      {
        type: 'res_block',
        in_channels: 96,
        out_channels: 64,
        conditioning: 'film',
        dropout: 0.1,
        skip: 'conv1x1',
        norm: { groups: 32, eps: 1e-5 },
        resample: 'none',
        activation: 'silu',
        divisor: 1,
      },
      {
        type: 'attention',
        channels: 64,
        heads: 4,
        norm: { groups: 32, eps: 1e-5 },
        order: 'heads_first',
        projections: 'joined',
        divisor: 1,
      },
      { type: 'upsample', channels: 64, method: 'nearest_conv' },
    ]);
    expect(graph.blocks[6]!.layers.map((l) => [l.path, l.in_size, l.out_size])).toEqual([
      ['output_blocks.1.0', [8, 8], [8, 8]],
      ['output_blocks.1.1', [8, 8], [8, 8]],
      ['output_blocks.1.2', [8, 8], [16, 16]],
    ]);
    expect(graph.time_embed).toEqual({ channels: 32, hidden: 128, order: 'cos_sin', shift: 0 });
    expect(graph.head).toEqual({ channels: 32, norm: { groups: 32, eps: 1e-5 } });
    expect(graph.naming).toBe('improved-diffusion');
  });

  test('a first multiplier other than 1 gives the head its actual width', () => {
    expect(load(compact({ channel_mult: [2, 4] })).head.channels).toBe(64);
  });

  test('conv_resample and upsample choose the resampling layers', () => {
    const methods = (fields: Fields) =>
      layersOf(compact(fields))
        .flat()
        .flatMap((l) => (l.type === 'downsample' || l.type === 'upsample' ? [l.method] : []));
    expect(methods({})).toEqual(['conv', 'nearest_conv']);
    expect(methods({ conv_resample: false })).toEqual(['avg_pool', 'nearest']);
    expect(methods({ upsample: 'conv_transpose' })).toEqual(['conv', 'conv_transpose']);
    expect(methods({ conv_resample: false, upsample: 'conv_transpose' })).toEqual([
      'avg_pool',
      'conv_transpose',
    ]);
  });

  test('super-resolution doubles the channels that enter', () => {
    const graph = load(compact({}, { super_resolution: { low_res_size: [4, 5] } }));
    expect(graph.in_channels).toBe(3);
    expect(graph.blocks[0]!.layers[0]!.layer).toMatchObject({ in_channels: 6, out_channels: 32 });
    expect(graph.super_resolution).toEqual({ low_res_size: [4, 5] });
  });

  test('3D keeps the depth, and a number is the size of every dimension', () => {
    const graph = load(compact({ dims: 3 }, { image_size: [5, 16, 8] }));
    expect(graph.blocks[4]!.layers[0]!.in_size).toEqual([5, 8, 4]);
    expect(load(compact({ dims: 3 })).image_size).toEqual([16, 16, 16]);
    expect(load(compact({ dims: 1 })).image_size).toEqual([16]);
  });

  test('the requested size takes the place of image_size', () => {
    const text = JSON.stringify(compact());
    expect(loadGraph(text, 'a.json', { size: [8, 24] }).graph.image_size).toEqual([8, 24]);
    expect(loadGraph(text, 'a.json', { size: [8] }).graph.image_size).toEqual([8, 8]);
  });

  test.each([
    ['nothing said, one image', {}, {}, 'fixed_large'],
    ['nothing said, twice the channels', { out_channels: 6 }, {}, 'learned_range'],
    ['said', { out_channels: 6 }, { diffusion: { variance: 'learned' } }, 'learned'],
  ])('variance: %s', (_, fields, top, variance) => {
    expect(load(compact(fields, top)).diffusion).toEqual({
      steps: 1000,
      noise_schedule: 'linear',
      predict: 'epsilon',
      variance,
      rescale_timesteps: false,
      ...LATER_DIFFUSION,
      loss: variance === 'fixed_large' ? 'mse' : 'rescaled_mse',
    });
  });
});

describe('rules', () => {
  test.each([
    [
      'groups',
      compact({ model_channels: 48 }),
      'error G011 /unet/model_channels: input_blocks.1.0 normalises 48 channels, which do not divide into 32 groups; use 32 or 64',
    ],
    [
      'heads',
      compact({ channel_mult: [3], num_heads: 5, attention_resolutions: [1] }),
      'error G012 /unet/num_heads: 96 channels do not divide into 5 heads; use 4, 6 or 8',
    ],
    [
      'heads of several widths',
      compact({ channel_mult: [1, 3], num_heads: 12, attention_resolutions: [1, 2] }),
      'error G012 /unet/num_heads: 32 channels do not divide into 12 heads; use 8, 16 or 32',
    ],
    [
      'heads on the way up',
      compact({ num_heads_upsample: 100 }),
      'error G012 /unet/num_heads_upsample: 64 channels do not divide into 100 heads; use 16, 32 or 64',
    ],
    [
      'sizes',
      compact({ channel_mult: [1, 1, 1, 1] }, { image_size: 30 }),
      'error G013 /image_size: image_size 30 does not survive the downsamplings: output_blocks.4 is given 16 from below and 15 from input_blocks.3; the nearest that do are 24 and 32',
    ],
    [
      'a size that pooling takes to nothing',
      compact({ conv_resample: false }, { image_size: [16, 1] }),
      "error G013 /image_size/1: image_size's width 1 does not survive the downsamplings: output_blocks.0 is given 0 from below and 0 from input_blocks.3; the nearest that does is 2",
    ],
    [
      'numbers of a size',
      compact({ dims: 3 }, { image_size: [16, 16] }),
      'error G014 /image_size: image_size has 2 numbers but dims is 3; give one number, or 3 (depth, height, width)',
    ],
    [
      'numbers of the low-res size',
      compact({}, { super_resolution: { low_res_size: [4] } }),
      'error G014 /super_resolution/low_res_size: low_res_size has 1 number but dims is 2; give one number, or 2 (height, width)',
    ],
    [
      'learned variance',
      compact({}, { diffusion: { variance: 'learned_range' } }),
      'error G018 /diffusion/variance: "learned_range" takes 6 output channels, twice in_channels, but out_channels is 3; set out_channels to 6 or variance to "fixed_large"',
    ],
    [
      'steps of the linear schedule',
      compact({}, { diffusion: { steps: 10 } }),
      'error G019 /diffusion/steps: the linear schedule scales its betas by 1000 / steps, and at 10 steps the last is 2, which must be below 1; use more than 20 steps or "cosine"',
    ],
    [
      'betas of a cosine schedule',
      compact({}, { diffusion: { noise_schedule: 'cosine', beta_end: 0.01 } }),
      'error G023 /diffusion/beta_end: a cosine schedule has no beta_end; take it out, or use "linear" or "scaled_linear"',
    ],
    [
      'betas that fall',
      compact({}, { diffusion: { beta_start: 0.03 } }),
      'error G024 /diffusion/beta_start: the betas fall from 0.03 to 0.02, but noise grows with the steps; beta_end must be above beta_start',
    ],
    [
      'a beta that float32 cannot tell from none',
      compact({}, { diffusion: { beta_start: 1e-9 } }),
      'error G024 /diffusion/beta_start: a beta of 1e-9 adds no noise that float32 can tell; use at least 1e-7',
    ],
    [
      'betas that leave nothing of the image',
      compact({}, { diffusion: { steps: 1000, beta_start: 0.1, beta_end: 0.9 } }),
      'error G024 /diffusion/beta_start: betas from 0.1 to 0.9 leave nothing of the image at timestep 327 of 1000, where float32 holds alphas_cumprod no more; use smaller ones',
    ],
    [
      'an offset beyond the steps',
      compact({}, { diffusion: { timestep_spacing: 'leading', steps_offset: 1000 } }),
      'error G024 /diffusion/steps_offset: an offset of 1000 is beyond the 1000 timesteps; use less than 1000',
    ],
    [
      'an offset without its spacing',
      compact({}, { diffusion: { steps_offset: 1 } }),
      'warning G031 /diffusion/steps_offset: steps_offset never applies: it belongs to the timestep_spacing "leading", and here it is null',
    ],
    [
      'a factor never reached',
      compact({ attention_resolutions: [2, 16] }, { image_size: 32 }),
      'warning G030 /unet/attention_resolutions/1: the downsampling factor 16 is never reached, so it adds no attention: the levels have 1, 2; remove it',
    ],
    [
      'pixels for a factor',
      compact({ attention_resolutions: [8] }),
      'warning G030 /unet/attention_resolutions/0: the downsampling factor 8 is never reached, so it adds no attention: the levels have 1, 2; if 8 pixels were meant, write 2',
    ],
    [
      'a factor twice',
      compact({ attention_resolutions: [2, 2] }),
      'warning G030 /unet/attention_resolutions/1: the factor 2 stands twice; remove one',
    ],
    [
      'heads that never apply',
      compact({ attention_resolutions: [], num_heads_upsample: 2 }),
      'warning G031 /unet/num_heads_upsample: there is no attention on the way up, so this never applies; remove it',
    ],
    [
      'fixed variance of a model that learned it',
      compact({ out_channels: 6 }, { diffusion: { variance: 'fixed_small' } }),
      'warning G032 /diffusion/variance: 6 output channels cannot be sampled with the variance "fixed_small", which takes 3, or let the variance be learned',
    ],
    [
      'arriving channels',
      explicit([[conv(3, 32)]], [res(32, 64)], [[res(64, 32)]]),
      'error G015 /blocks/output/0/layers/0/in_channels: output_blocks.0.0 takes 64 channels but 96 arrive (64 from below and 32 from input block 0); write 96',
    ],
    [
      'entering channels',
      explicit([[conv(3, 32)]], [res(32, 32)], [[res(64, 32)]], { super_resolution: { low_res_size: 4 } }),
      'error G015 /blocks/input/0/layers/0/in_channels: input_blocks.0.0 takes 3 channels but 6 arrive; write 6',
    ],
    [
      'identity skips',
      explicit([[conv(3, 32)]], [res(32, 32)], [[res(64, 32, { skip: 'identity' })]]),
      'error G017 /blocks/output/0/layers/0/skip: an identity cannot turn 64 channels into 32; use "conv1x1" or "conv3x3"',
    ],
    [
      'channels of a residual block that are no multiple of four',
      explicit(
        [[conv(3, 32)]],
        [res(32, 66, { norm: { groups: 2 } })],
        [[res(98, 32, { norm: { groups: 2 } })]],
      ),
      'error G025 /blocks/middle/layers/0/out_channels: a residual block takes its time embedding four channels at a time, and 66 are no multiple of four; use 64 or 68',
    ],
    [
      'too few output blocks',
      explicit([[conv(3, 32)], [res(32, 32)]], [res(32, 32)], [[res(64, 32)]]),
      'error G016 /blocks/output: 1 output block for 2 input blocks; every input block is popped by one output block, add 1',
    ],
    [
      'too many output blocks',
      explicit([[conv(3, 32)]], [res(32, 32)], [[res(64, 32)], [res(64, 32)]]),
      'error G016 /blocks/output: 2 output blocks for 1 input block; every input block is popped by one output block, remove 1',
    ],
    [
      'resampling that does not pair up',
      explicit([[conv(3, 32)], [down(32)]], [res(32, 32)], [[res(64, 32)], [res(64, 32)]]),
      'error G016 /blocks/output/1: output_blocks.1 is given 8 from below and 16 from input_blocks.0, and no image size changes that; pair each downsample with an upsample at the same depth',
    ],
    [
      'an output of another size',
      explicit([[conv(3, 32)]], [res(32, 32)], [[res(64, 32), up(32)]]),
      'error G016 /blocks/output: the output has 32 where the image has 16, and no image size changes that; pair each downsample with an upsample at the same depth',
    ],
    [
      'groups of the head',
      explicit([[conv(3, 32)]], [res(32, 32)], [[conv(64, 40)]]),
      'error G011 /blocks/output/0/layers/0/out_channels: the head normalises 40 channels, which do not divide into 32 groups; use 32 or 64',
    ],
    [
      'groups of a layer',
      explicit([[conv(3, 32)]], [{ type: 'attention', channels: 32, norm: { groups: 24 } }], [[res(64, 32)]]),
      'error G011 /blocks/middle/layers/0/channels: middle_block.0 normalises 32 channels, which do not divide into 24 groups; use 24 or 48',
    ],
    [
      'epsilon of a layer',
      explicit([[conv(3, 32)]], [res(32, 32, { norm: { eps: 0 } })], [[res(64, 32)]]),
      'error G009 /blocks/middle/layers/0/norm/eps: found 0, expected a number above 0 and at most 1',
    ],
  ])('%s', (_, file, expected) => {
    expect(findings(file)).toEqual([expected]);
  });

  test('a requested size that does not fit is called that', () => {
    expect(findings(compact(), [16, 15])).toEqual([
      "error G013 /image_size: the requested size's width 15 does not survive the downsamplings: output_blocks.2 is given 16 from below and 15 from input_blocks.1; the nearest that do are 14 and 16",
    ]);
    expect(findings(compact(), [4, 4, 4])).toEqual([
      'error G014 /image_size: the requested size has 3 numbers but dims is 2; give one number, or 2 (height, width)',
    ]);
  });

  test('all faults of all kinds at once, in the order of the file', () => {
    const file = compact(
      { dropout: 2, num_heads: 7, attention_resolutions: [2, 9], model_channel: 32 },
      { image_size: 15, diffusion: { variance: 'learned' } },
    );
    expect(findings(file).map((line) => line.split(':')[0])).toEqual([
      'error G013 /image_size',
      'warning G030 /unet/attention_resolutions/1',
      'error G009 /unet/dropout',
      'error G012 /unet/num_heads',
      'error G008 /unet/model_channel',
      'error G018 /diffusion/variance',
    ]);
  });

  test('what rests on a guessed field is not reported', () => {
    const file = compact({ model_channels: 0, num_heads: 7 }, { image_size: 15 });
    expect(findings(file).map((line) => line.split(':')[0])).toEqual([
      'error G013 /image_size',
      'error G009 /unet/model_channels',
    ]);
  });

  test('one fault does not raise others behind it', () => {
    const file = explicit(
      [[conv(4, 32)], [res(32, 64)], [down(64)], [res(32, 64)]],
      [res(64, 64)],
      [[res(128, 64)], [res(128, 64), up(64)], [res(128, 64)], [res(96, 32)]],
    );
    expect(findings(file).map((line) => line.split(':')[0])).toEqual([
      'error G015 /blocks/input/0/layers/0/in_channels',
      'error G015 /blocks/input/3/layers/0/in_channels',
    ]);
  });
});

describe('the explicit form', () => {
  test('levels can differ, blocks can hold several layers, and both skips have a kernel', () => {
    const graph = load(
      explicit(
        [
          [conv(3, 32), res(32, 64, { skip: 'conv3x3' })],
          [down(64), { type: 'attention', channels: 64, heads: 8 }],
        ],
        [{ type: 'conv', in_channels: 64, out_channels: 32, kernel: 1 }],
        [[res(96, 32), up(32)], [res(96, 32)]],
        { image_size: [6, 4] },
      ),
    );
    expect(last(graph.blocks).layers[0]).toEqual({
      layer: {
        ...res(96, 32),
        conditioning: 'additive',
        dropout: 0,
        skip: 'conv1x1',
        norm: { groups: 32, eps: 1e-5 },
        resample: 'none',
        activation: 'silu',
        divisor: 1,
      },
      path: 'output_blocks.1.0',
      prefix: 'output_blocks.1.0',
      in_size: [6, 4],
      out_size: [6, 4],
    });
  });
});
