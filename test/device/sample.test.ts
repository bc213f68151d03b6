// The digit models on the adapter, from the noise that the original was given: 50 DDIM steps, and batch invariance.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { targetHere } from '../../engine/compile/target-here.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { SampleRequest } from '../../runtime/sampler/request.ts';
import { sample } from '../../runtime/sampler/sample.ts';
import type { Sampler } from '../../runtime/sampler/samplers/index.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { goldenTensors } from '../golden-tensors.ts';
import { openProgram } from '../on-device.ts';

const GRAPHS = new URL('../../graphs/', import.meta.url);

/** Samples of a model in graphs/, [N][values]. */
async function draw(
  name: string,
  batch: number,
  steps: string,
  sampler: Sampler,
  requests: readonly SampleRequest[],
): Promise<Float32Array[]> {
  const { graph } = loadGraph(readFileSync(new URL(`${name}.json`, GRAPHS), 'utf8'), name);
  const weights = openWeights(new URL(`${name}.safetensors`, GRAPHS).pathname);
  const { read } = matchWeights(parameters(graph), weights);
  // the target that `sample` would take here
  const { bundle } = compileGraph(graph, { batch, target: await targetHere(undefined) });
  const program = await openProgram(bundle, read);
  weights.close();
  try {
    const images: Float32Array[] = [];
    const process = diffusionProcess(graph.diffusion, steps);
    for await (const { image } of sample(program, requests, { process, sampler })) images.push(image.data);
    return images;
  } finally {
    program.close();
  }
}

describe.each([
  ['mnist', 'mnist/expected.safetensors'],
  ['mnist-sr', 'mnist/upsample-expected.safetensors'],
])('%s', (name, file) => {
  const tensors = goldenTensors(file);
  const rows = (tensor: string): Float32Array[] => {
    const { shape, data } = tensors(tensor);
    const length = data.length / shape[0]!;
    return Array.from({ length: shape[0]! }, (_, k) =>
      Float32Array.from({ length }, (_v, i) => data[k * length + i]!),
    );
  };

  test('50 DDIM steps agree with the original to 1e-3', async () => {
    const noises = rows('noise');
    const low = name === 'mnist-sr' ? rows('low_res') : [];
    const requests = noises.map((noise, k) => ({
      seed: k,
      noise,
      label: tensors('y').data[k]!,
      ...(low.length > 0 ? { low_res: low[k]! } : {}),
    }));
    const images = await draw(name, 5, 'ddim50', { kind: 'ddim', eta: 0 }, requests);
    const worst = rows('ddim50').map((row, k) =>
      Math.max(...row.map((value, i) => Math.abs(value - images[k]![i]!))),
    );
    expect(worst.filter((error) => !(error <= 1e-3))).toEqual([]);
    expect(worst).toHaveLength(10);
  });
});

test('a seed gives the same bits at batch 1 and batch 4, ddpm', async () => {
  const requests = [3, 1, 4, 15, 9].map((seed, k) => ({ seed, label: k }));
  const alone = await draw('mnist', 1, '5', { kind: 'ddpm' }, requests);
  expect(await draw('mnist', 4, '5', { kind: 'ddpm' }, requests)).toEqual(alone);
});
