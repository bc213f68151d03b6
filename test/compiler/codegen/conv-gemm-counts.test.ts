// What conv_gemm does for a multiply-accumulate, counted in its own text: the table of docs/gpu.md.

import { expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { GENERIC } from '../../../compiler/target.ts';

/** Few channels over few and many pixels: a convolution of each tile. */
const GRAPHS = [
  { image_size: 8, unet: { model_channels: 32, channel_mult: [1, 1] } },
  { image_size: 64, unet: { model_channels: 64, channel_mult: [1, 1] } },
].map(({ image_size, unet }) =>
  JSON.stringify({
    ...{ version: 1, name: 'tiles', image_size },
    unet: { in_channels: 1, out_channels: 1, num_res_blocks: 1, attention_resolutions: [], ...unet },
  }),
);

function countsOf(wgsl: string) {
  const constant = (name: string) => Number(new RegExp(`const ${name} = (\\d+)u`).exec(wgsl)![1]);
  const [m, n, depth] = [constant('TILE_M'), constant('TILE_N'), constant('DEPTH')];
  const begin = wgsl.indexOf('for (var first = 0u;');
  const product = wgsl.indexOf('for (var slot = 0u; slot < staged');
  const loop = wgsl.slice(begin, wgsl.indexOf('let quad = workgroup.y', product));
  const barriers = loop.split('workgroupBarrier();').length - 1;
  const vectors = (n / 32) * 4 + m / 8;
  return {
    tile: `${m}x${n}`,
    // of 16 input channels and a tap
    barriers_a_step: barriers / depth,
    divisions_a_step: (loop.slice(0, product - begin).match(/ [/%] (?!DEPTH)/g) ?? []).length,
    shared_bytes_a_mac: (vectors * 16) / ((m / 8) * (n / 32) * 16),
  };
}

test('barriers, divisions and bytes of workgroup memory, by tile', () => {
  const kernels = GRAPHS.flatMap((text) => {
    const { kernels } = compileGraph(loadGraph(text, 'tiles').graph, { target: GENERIC }).bundle;
    return [...kernels].filter(([file]) => file.startsWith('conv_gemm')).map(([, wgsl]) => countsOf(wgsl));
  });
  const tiles = new Map(kernels.map((one) => [one.tile, one]));
  expect([...tiles.values()].sort((a, b) => a.barriers_a_step - b.barriers_a_step)).toEqual([
    { tile: '16x32', barriers_a_step: 0.5, divisions_a_step: 0, shared_bytes_a_mac: 3 },
    { tile: '32x32', barriers_a_step: 2 / 3, divisions_a_step: 0, shared_bytes_a_mac: 2 },
    { tile: '32x64', barriers_a_step: 1, divisions_a_step: 0, shared_bytes_a_mac: 1.5 },
    { tile: '64x64', barriers_a_step: 2, divisions_a_step: 0, shared_bytes_a_mac: 1 },
  ]);
});
