import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameterCount, parameters } from '../../../compiler/graph/parameters.ts';
import { ALL_NAMES, CLASSIFIER_NAMES, GOLDEN, goldenCase, goldenGraph } from '../../golden-cases.ts';

const read = (url: URL) => JSON.parse(readFileSync(url, 'utf8'));
const GRAPHS = new URL('../../../graphs/', import.meta.url);

describe('parameters', () => {
  test.each([...ALL_NAMES, ...CLASSIFIER_NAMES])('of %s are those of the original, in its order', (name) => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const stateDict = read(new URL(`${name}/state-dict.json`, GOLDEN)) as Record<string, number[]>;
    expect(parameters(graph)).toEqual(
      Object.entries(stateDict).map(([key, shape]) => ({ name: key, shape })),
    );
    expect(parameterCount(graph)).toBe(goldenCase(name).params);
  });

  test.each([
    [1, [4]],
    [2, [4, 4]],
    [3, [3, 4, 4]],
  ])('a transposed convolution in %dD has the kernel %j', (dims, kernel) => {
    const file = {
      version: 1,
      image_size: 8,
      unet: {
        in_channels: 1,
        model_channels: 32,
        out_channels: 1,
        num_res_blocks: 1,
        attention_resolutions: [],
        channel_mult: [1, 2],
        dims,
        upsample: 'conv_transpose',
      },
    };
    const { graph } = loadGraph(JSON.stringify(file), 'a.json');
    expect(parameters(graph)).toContainEqual({
      name: 'output_blocks.1.1.conv.weight',
      shape: [64, 64, ...kernel],
    });
  });
});

describe('the published graphs', () => {
  const published = read(new URL('published.json', GOLDEN)) as Record<
    string,
    { kwargs: object; image_size: number; low_res_size?: number; params: number; tensors: number }
  >;

  test.each(Object.keys(published))('%s has the exact parameter count, and no warnings', (name) => {
    const expected = published[name]!;
    const { graph, warnings } = loadGraph(readFileSync(new URL(`${name}.json`, GRAPHS), 'utf8'), name);
    expect(warnings).toEqual([]);
    expect(graph.name).toBe(name);
    expect(parameterCount(graph)).toBe(expected.params);
    expect(parameters(graph)).toHaveLength(expected.tensors);
    const lowRes = expected.low_res_size ? { super_resolution: { low_res_size: expected.low_res_size } } : {};
    const original = { version: 1, name, image_size: expected.image_size, unet: expected.kwargs, ...lowRes };
    const { diffusion: _, ...built } = loadGraph(JSON.stringify(original), name).graph;
    expect(graph).toMatchObject(built);
  });

  const adm = read(new URL('adm/published.json', GOLDEN)) as readonly {
    readonly name: string;
    readonly params: number;
    readonly tensors: number;
  }[];
  const admGraphs: Readonly<Record<string, string>> = {
    '64x64_diffusion': 'adm64',
    '128x128_diffusion': 'adm128',
    '256x256_diffusion': 'adm256',
    '256x256_diffusion_uncond': 'adm256-uncond',
    '512x512_diffusion': 'adm512',
    lsun_bedroom: 'adm256-uncond',
    lsun_cat: 'adm256-uncond',
    lsun_horse: 'adm256-uncond',
    '64_256_upsampler': 'adm-upsample256',
    '128_512_upsampler': 'adm-upsample512',
    '64x64_classifier': 'adm64-classifier',
    '128x128_classifier': 'adm128-classifier',
    '256x256_classifier': 'adm256-classifier',
    '512x512_classifier': 'adm512-classifier',
  };

  test.each(adm)('$name has the exact parameter count, and no warnings', ({ name, params, tensors }) => {
    const file = admGraphs[name]!;
    const { graph, warnings } = loadGraph(readFileSync(new URL(`${file}.json`, GRAPHS), 'utf8'), file);
    expect(warnings).toEqual([]);
    expect(graph.name).toBe(file);
    expect(parameterCount(graph)).toBe(params);
    expect(parameters(graph)).toHaveLength(tensors);
  });

  test.each([
    ['ddpm-cifar10-32', 35_746_307],
    ['ddpm-celebahq-256', 113_673_219],
  ])('%s of diffusers has %i parameters, and no warnings', (name, params) => {
    const { graph, warnings } = loadGraph(readFileSync(new URL(`${name}.json`, GRAPHS), 'utf8'), name);
    expect(warnings).toEqual([]);
    expect(graph.name).toBe(name);
    expect(parameterCount(graph)).toBe(params);
  });

  test.each([
    ['mnist', 'model'],
    ['mnist-sr', 'upsample'],
  ])('%s is the graph its checkpoint was trained with', (name, key) => {
    const { graph, warnings } = loadGraph(readFileSync(new URL(`${name}.json`, GRAPHS), 'utf8'), name);
    const trained = read(new URL('mnist/graphs.json', GOLDEN))[key];
    expect(warnings).toEqual([]);
    expect(graph).toEqual(loadGraph(JSON.stringify(trained), name).graph);
  });
});
