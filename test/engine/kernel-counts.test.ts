// What kernels of products do for a multiply-accumulate, counted in their own texts: the tables of docs/gpu.md.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { APPLE, GENERIC, INTEL, NVIDIA, type Target } from '../../compiler/target.ts';
import { kernelCounts } from '../../engine/expected/kernel-counts.ts';

/** Few channels over few and many pixels: a convolution of each tile. */
const GRAPHS = [
  { image_size: 8, unet: { model_channels: 32, channel_mult: [1, 1] } },
  { image_size: 32, unet: { model_channels: 32, channel_mult: [1, 1] } },
  { image_size: 64, unet: { model_channels: 64, channel_mult: [1, 1] } },
].map(({ image_size, unet }) =>
  JSON.stringify({
    ...{ version: 1, name: 'tiles', image_size },
    unet: { in_channels: 1, out_channels: 1, num_res_blocks: 1, attention_resolutions: [], ...unet },
  }),
);

/** Divisions between the barriers of a step, in the text before the product. */
function divisionsOf(wgsl: string): number {
  const begin = wgsl.indexOf('for (var first = slice.first;');
  const staging = wgsl.slice(begin, wgsl.indexOf('multiply(staged', begin));
  return (staging.match(/ [/%] (?!DEPTH)/g) ?? []).length;
}

test('barriers, divisions and bytes of workgroup memory, by tile', () => {
  const bundles = GRAPHS.map((text) => {
    return compileGraph(loadGraph(text, 'tiles').graph, { target: GENERIC }).bundle;
  });
  const found = bundles.flatMap((bundle) =>
    kernelCounts(bundle).map(({ file, tile, barriers, read }) => {
      const [m, n] = tile.split('x').map(Number);
      const barriers_a_step = (barriers * m! * n! * 16) / 1e6;
      return { tile, barriers_a_step, divisions: divisionsOf(bundle.kernels.get(file)!), read };
    }),
  );
  const tiles = new Map(found.map((one) => [one.tile, one]));
  expect(
    [...tiles.values()].sort((a, b) => a.read - b.read || a.barriers_a_step - b.barriers_a_step),
  ).toEqual([
    { tile: '64x64', barriers_a_step: 2, divisions: 0, read: 1 },
    { tile: '32x64', barriers_a_step: 1, divisions: 0, read: 1.5 },
    { tile: '32x32', barriers_a_step: expect.closeTo(2 / 3), divisions: 0, read: 2 },
    { tile: '16x32', barriers_a_step: 0.5, divisions: 0, read: 3 },
    { tile: '64x8', barriers_a_step: 1, divisions: 0, read: 3 },
    { tile: '32x8', barriers_a_step: 0.5, divisions: 0, read: 5 },
  ]);
});

test('what matrix units are fed with, by tile', () => {
  const graph = loadGraph(
    readFileSync(new URL('../../graphs/imagenet64.json', import.meta.url), 'utf8'),
    'i',
  ).graph;
  const counts = (target: Target, batch: number) => {
    const { bundle } = compileGraph(graph, { target, precision: 'f16', batch });
    return new Map(kernelCounts(bundle).map((one) => [`${one.source} ${one.tile}`, one]));
  };
  const nvidia = counts(NVIDIA, 64);
  expect(nvidia.get('conv_matrix 128x128')).toMatchObject({ read: 1 / 16, dispatches: expect.any(Number) });
  expect(nvidia.get('attention_matrix 64x64')!.barriers).toBeCloseTo((5 / (2 * 64 * 32 * 64)) * 1e6);
  expect(counts(APPLE, 64).get('conv_matrix 64x32')!.read).toBe(0.375);
  // as much as they can have: no more
  for (const target of [NVIDIA, APPLE, INTEL])
    for (const { shared } of counts(target, 1).values())
      expect(shared).toBeLessThanOrEqual(target.limits.maxComputeWorkgroupStorageSize);
});
