import { describe, expect, test } from 'vitest';
import { editDistance, nearestName } from '../../../compiler/format/nearest.ts';
import { readSpec } from '../../../compiler/spec/spec.ts';

const unet = {
  in_channels: 3,
  model_channels: 32,
  out_channels: 3,
  num_res_blocks: 1,
  attention_resolutions: [2],
};
const compact = { version: 1, name: 'a', image_size: 32, unet };
const block = (...layers: object[]) => ({ layers });
const explicit = {
  version: 1,
  name: 'a',
  image_size: 8,
  in_channels: 3,
  out_channels: 3,
  time_embed: { channels: 32, hidden: 128 },
  blocks: {
    input: [block({ type: 'conv', in_channels: 3, out_channels: 32 })],
    middle: block({ type: 'res_block', in_channels: 32, out_channels: 32 }),
    output: [block({ type: 'res_block', in_channels: 64, out_channels: 32 })],
  },
};

/** Faults as `code pointer: message`. */
function faults(value: unknown): readonly string[] {
  return readSpec(JSON.stringify(value)).faults.map((f) => `${f.code} ${f.pointer}: ${f.message}`);
}

const withUnet = (fields: object) => ({ ...compact, unet: { ...unet, ...fields } });

describe('readSpec', () => {
  test('fills in the defaults of the original', () => {
    expect(readSpec(JSON.stringify(compact)).spec).toEqual({
      form: 'unet',
      version: 1,
      name: 'a',
      image_size: 32,
      unet: {
        ...unet,
        dropout: 0,
        channel_mult: [1, 2, 4, 8],
        conv_resample: true,
        dims: 2,
        num_classes: null,
        use_checkpoint: false,
        num_heads: 1,
        num_heads_upsample: -1,
        use_scale_shift_norm: false,
        upsample: 'nearest',
      },
    });
  });

  test('reads the explicit form', () => {
    expect(faults(explicit)).toEqual([]);
    const { spec } = readSpec(JSON.stringify(explicit));
    expect(spec?.form).toBe('blocks');
  });

  test('reports all faulty fields at once', () => {
    const file = {
      ...withUnet({
        num_heads: '4',
        dropout: 1,
        channel_mult: [1, 0],
        nun_res_blocks: 2,
        upsample: 'conv_transposed',
      }),
      image_size: 0,
      diffusion: { steps: 1.5, noise_schedule: 'cosin' },
    };
    expect(faults(file)).toEqual([
      'G009 /image_size: found 0, expected an integer from 1 to 16777216',
      'G009 /unet/dropout: found 1, expected a number of at least 0 and below 1',
      'G009 /unet/channel_mult/1: found 0, expected an integer from 1 to 32',
      'G009 /unet/num_heads: found "4", expected an integer from 1 to 1048576; write 4 without quotes',
      'G009 /unet/upsample: found "conv_transposed", expected "nearest" or "conv_transpose"; did you mean "conv_transpose"?',
      'G008 /unet/nun_res_blocks: unknown key; did you mean "num_res_blocks"?',
      'G009 /diffusion/steps: found 1.5, expected an integer from 2 to 1000000',
      'G009 /diffusion/noise_schedule: found "cosin", expected "linear", "cosine" or "scaled_linear"; did you mean "cosine"?',
    ]);
  });

  test.each([
    [
      'a key of another object',
      { ...compact, num_heads: 4 },
      'G008 /num_heads: unknown key here; it belongs in "unet"',
    ],
    [
      'a key of the original scripts',
      withUnet({ learn_sigma: true }),
      'G008 /unet/learn_sigma: unknown key; set "out_channels" to twice "in_channels" instead',
    ],
    [
      'an unknown key that is near none',
      { ...compact, colours: {} },
      'G008 /colours: unknown key; known here are $schema, version, name, image_size, unet, super_resolution, diffusion, budgets',
    ],
    [
      'a missing key',
      { ...compact, unet: { ...unet, in_channels: undefined } },
      'G007 /unet/in_channels: this key is missing; it holds an integer from 1 to 4096',
    ],
    [
      'both forms',
      { ...compact, ...explicit, unet },
      'G010 /blocks: a graph has "unet", "adm", "adm_classifier", "unet_2d" (compact form) or "blocks" (explicit form), not both; remove one',
    ],
    [
      'neither form',
      { version: 1, image_size: 32 },
      'G010 : a graph needs "unet", "adm", "adm_classifier", "unet_2d" (compact form) or "blocks" (explicit form)',
    ],
    [
      'another version',
      { ...compact, version: 2, anything: 1 },
      'G010 /version: found version 2, but this build reads version 1 alone',
    ],
    [
      'a version in quotes',
      { ...compact, version: '1' },
      'G009 /version: found "1", expected the format version 1; write 1 without quotes',
    ],
    ['no object', [], 'G009 : expected an object with "version", "image_size" and "unet"'],
    ['unet that is no object', { ...compact, unet: 3 }, 'G009 /unet: found 3, expected an object'],
    [
      'a size that is no size',
      { ...compact, image_size: 'big' },
      'G009 /image_size: found "big", expected an integer from 1 to 16777216, or a list of one for each dimension',
    ],
    [
      'null for a default',
      withUnet({ num_heads: null }),
      'G009 /unet/num_heads: found null, expected an integer from 1 to 1048576',
    ],
    [
      'a control character in the name',
      { ...compact, name: 'a\u001b[31m' },
      'G009 /name: found "a\\u001b[31m", expected a name without control characters',
    ],
    [
      'an unknown layer',
      { ...explicit, blocks: { ...explicit.blocks, middle: block({ type: 'attn' }) } },
      'G009 /blocks/middle/layers/0/type: found "attn", expected "conv", "res_block", "attention", "downsample", "upsample" or "identity"',
    ],
    [
      'an empty block',
      { ...explicit, blocks: { ...explicit.blocks, middle: block() } },
      'G009 /blocks/middle/layers: found [], expected a list of 1 to 64 layers',
    ],
    [
      'a field of another layer',
      {
        ...explicit,
        blocks: { ...explicit.blocks, middle: block({ type: 'attention', channels: 32, head: 2 }) },
      },
      'G008 /blocks/middle/layers/0/head: unknown key; did you mean "heads"?',
    ],
  ])('reports %s', (_, file, expected) => {
    expect(faults(file)).toEqual([expected]);
  });

  test('finds the line of a value, of an unknown key, and of what is missing', () => {
    const read = readSpec('{\n "version": 1,\n "image_size": 0,\n "unet": {\n  "heads": 1\n }\n}');
    const lines = read.faults.map((f) => `${f.pointer} ${read.locate(f)?.line}:${read.locate(f)?.column}`);
    expect(lines).toContain('/image_size 3:16');
    expect(lines).toContain('/unet/heads 5:3');
    expect(lines).toContain('/unet/in_channels 4:10');
  });

  test('names the fields that had to be guessed', () => {
    const read = readSpec(JSON.stringify(withUnet({ num_heads: 'x', extra: 1 })));
    expect([...read.guessed]).toEqual(['num_heads']);
    expect(read.spec).not.toBeNull();
  });
});

describe('nearestName', () => {
  test('counts edits', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('num_heads', 'nmu_heads')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });

  test('answers nothing where nothing is near', () => {
    expect(nearestName('colours', ['version', 'name', 'image_size'])).toBeUndefined();
    expect(nearestName('Num_Head', ['num_heads', 'dims'])).toBe('num_heads');
  });
});
