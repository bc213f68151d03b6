// A model is opened from addresses, files and memory on Dawn's null backend, which stands for a browser's WebGPU.

import { beforeAll, describe, expect, test } from 'vitest';
import { create, globals } from 'webgpu';
import { compile } from '../../../../engine/api.ts';
import { formatManifest } from '../../../../runtime/bundle.ts';
import type { Fetch } from '../../../../runtime/host/web/answer.ts';
import { openModel } from '../../../../runtime/host/web/open-model.ts';
import type { OpenModelOptions, OpenProgress } from '../../../../runtime/host/web/open-options.ts';
import { hashWeights } from '../../../../runtime/weights/hash.ts';
import { writeTensors } from '../../../../runtime/weights/safetensors-write.ts';
import { SMALL_GRAPH } from '../../../fixtures/small-graph.ts';

const bundle = compile(SMALL_GRAPH);
const weights = hashWeights('hash:1')!;
const tensors = new Map(
  bundle.manifest.parameters.map(({ name, shape }) => [name, { shape, data: weights.read(name, shape) }]),
);
const checkpoint = new Uint8Array(writeTensors(tensors));
const files = new Map<string, string | Uint8Array<ArrayBuffer>>([
  ['m/manifest.json', formatManifest(bundle.manifest)],
  ...[...bundle.kernels].map(([file, text]) => [`m/kernels/${file}`, text] as const),
  ['w.safetensors', checkpoint],
]);
const inFolder = new Map([...files].map(([file, content]) => [file.replace('m/', ''), content]));

/** Serves the files, with their lengths. */
const get: Fetch = async (url) => {
  const body = files.get(url);
  if (body === undefined) return new Response('', { status: 404, statusText: 'Not Found' });
  const length = typeof body === 'string' ? body.length : body.byteLength;
  return new Response(body, { headers: { 'content-length': String(length) } });
};

let gpu: GPU;
beforeAll(() => {
  Object.assign(globalThis, globals);
  gpu = create(['backend=null']);
});

const inputs = { x: { shape: [1, 1, 8, 8], data: new Float32Array(64) }, timesteps: [1] };

/** Opens the model, runs it once and says what comes out. */
async function ran(options: Partial<OpenModelOptions>): Promise<readonly number[]> {
  await using model = await openModel({ bundle: 'm', weights: 'w.safetensors', gpu, fetch: get, ...options });
  const { output } = await model.run(inputs);
  return output.shape;
}

describe('a model', () => {
  test('comes from addresses, with its bytes told on the way', async () => {
    const told: OpenProgress[] = [];
    expect(await ran({ onProgress: (progress) => void told.push(progress) })).toEqual([1, 1, 8, 8]);
    const downloads = told.flatMap((one) => (one.stage === 'download' ? [one] : []));
    const last = downloads.filter(({ file }) => file === 'w.safetensors').at(-1)!;
    expect(last).toMatchObject({ of: 'weights', from: 'server', received: checkpoint.length });
    expect(last.total).toBe(checkpoint.length);
    const all = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    expect(downloads.at(-1)!.all).toEqual({ received: all, total: all });
    const kernels = bundle.kernels.size;
    expect(told.at(-1)).toEqual({ stage: 'compile', done: kernels, total: kernels });
  });

  test.each<[string, Partial<OpenModelOptions>]>([
    ['a bundle that is parsed, and tensors', { bundle, weights: tensors }],
    ['files in memory, and bytes', { bundle: inFolder, weights: checkpoint }],
    [
      'a function that reads files, and a Blob',
      { bundle: (file) => inFolder.get(file)!, weights: new Blob([checkpoint]) },
    ],
    [
      'an URL, and a formula',
      { bundle: new URL('https://example.org/m/'), weights: 'hash:1', fetch: (url) => get(url.slice(20)) },
    ],
    ['weights that were opened', { weights }],
  ])('comes from %s', async (_, options) => {
    expect(await ran(options)).toEqual([1, 1, 8, 8]);
  });
});
