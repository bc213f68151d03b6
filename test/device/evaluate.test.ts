// The bound of images on every target against the original, and against the reference executor for other inputs.

import fs from 'node:fs';
import { expect, it } from 'vitest';
import { evaluate } from '../../engine/api.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import {
  BOUND_FILE,
  BOUND_NAMES,
  BOUND_STEPS,
  BOUND_WEIGHTS,
  boundGraph,
  recordedBound,
  worstError,
} from '../bound-case.ts';
import { noise32 } from '../fixtures/values.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

const GOLDEN = { weights: BOUND_WEIGHTS, data: BOUND_FILE, steps: BOUND_STEPS } as const;

it.each(['generic', 'software'])('agrees with the original on %s', async (target) => {
  const { bounds } = await evaluate(boundGraph(), { ...GOLDEN, noise: BOUND_FILE, target });
  for (const name of BOUND_NAMES)
    expect(worstError(bounds[name], recordedBound(name)), name).toBeLessThan(1e-5);
});

it('has the same bits at every batch', async () => {
  const all = [1, 3, 8].map(async (batch) => (await evaluate(boundGraph(), { ...GOLDEN, batch })).bounds);
  const [first, ...others] = await Promise.all(all);
  for (const other of others) expect(other).toEqual(first);
});

it.each(['tiny-superres', 'tiny-additive-class', 'diffusers/scale-shift-attention', 'adm/updown'])(
  'agrees with the reference executor: %s',
  async (name) => {
    const graph = JSON.parse(goldenGraph(name));
    const { unet, adm, unet_2d, image_size } = graph;
    const channels = (unet ?? adm ?? unet_2d).in_channels;
    const space = Array.isArray(image_size) ? image_size : [image_size, image_size];
    const image = {
      shape: [2, channels, ...space],
      data: Float32Array.from(noise32([2, channels, ...space], 3).data, Math.tanh),
    };
    const tensors = new Map<
      string,
      Parameters<typeof writeTensors>[0] extends ReadonlyMap<string, infer T> ? T : never
    >([
      ['x_start', image],
      ['y', { shape: [2], data: Int32Array.of(0, 1) }],
    ]);
    fs.writeFileSync(at('d.safetensors'), writeTensors(tensors));
    const options = { weights: 'hash:3', data: at('d.safetensors'), steps: '6' } as const;
    const found = await evaluate(graph, options);
    const expected = await evaluate(graph, { ...options, reference: true });
    for (const key of BOUND_NAMES)
      expect(worstError(found.bounds[key], expected.bounds[key]), key).toBeLessThan(1e-4);
  },
);
