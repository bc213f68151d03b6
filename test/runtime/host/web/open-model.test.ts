// A model is opened from addresses, files and memory on Dawn's null backend, which stands for a browser's WebGPU.

import { beforeAll, describe, expect, test, vi } from 'vitest';
import { create } from 'webgpu';
import { compile } from '../../../../engine/api.ts';
import { formatManifest } from '../../../../runtime/bundle.ts';
import type { Fetch } from '../../../../runtime/host/web/answer.ts';
import { openModel } from '../../../../runtime/host/web/open-model.ts';
import type { OpenModelOptions, OpenProgress } from '../../../../runtime/host/web/open-options.ts';
import { UsageError } from '../../../../runtime/usage-error.ts';
import { hashWeights } from '../../../../runtime/weights/hash.ts';
import { safetensorsChunks, writeTensors } from '../../../../runtime/weights/safetensors-write.ts';
import { planShards } from '../../../../runtime/weights/shards-write.ts';
import { defineDawnGlobals } from '../../../fixtures/dawn-globals.ts';
import { SMALL_GRAPH } from '../../../fixtures/small-graph.ts';
import { GUIDED_CASES } from '../../../guided-cases.ts';

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
  defineDawnGlobals();
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

describe('weights in several files', () => {
  const names = bundle.manifest.parameters.map(({ name, shape }) => {
    return { name, shape, dtype: 'F32' as const, data: () => tensors.get(name)!.data };
  });
  const { shards, index } = planShards(names, 60_000, 'w');
  const parts = new Map(
    shards.map(({ name, tensors }) => [name, Buffer.concat([...safetensorsChunks(tensors)])] as const),
  );
  const served: Fetch = (url) => {
    const part = parts.get(url.replace(/^w\/(.*)\?v=1$/, '$1'));
    if (part !== undefined) return Promise.resolve(new Response(new Uint8Array(part)));
    return url === 'w/w.safetensors.index.json?v=1' ? Promise.resolve(new Response(index)) : get(url);
  };

  test('are found by their index, with the query of its address', async () => {
    expect(parts.size).toBeGreaterThan(2);
    const told: OpenProgress[] = [];
    const options = { fetch: served, onProgress: (progress: OpenProgress) => void told.push(progress) };
    await ran({ weights: 'w/w.safetensors.index.json?v=1', ...options });
    const shard = told.find((one) => one.stage === 'download' && one.file.includes('00001'));
    // before shards have answered, their sizes are those that the index says
    expect(shard).toMatchObject({ of: 'weights', all: { total: expect.any(Number) } });
  });

  test('are given as files, with their index or without it', async () => {
    const chosen = [...parts].map(([name, bytes]) =>
      Object.assign(new Blob([new Uint8Array(bytes)]), { name }),
    );
    const indexFile = Object.assign(new Blob([index!]), { name: 'w.safetensors.index.json' });
    expect(await ran({ weights: [...chosen, indexFile] })).toEqual([1, 1, 8, 8]);
    expect(await ran({ weights: chosen })).toEqual([1, 1, 8, 8]);
    await expect(ran({ weights: [chosen[0]!, indexFile] })).rejects.toThrow(
      'it is not among the files; give it beside the index that names it',
    );
    const out = index!.replaceAll('w-00001', '../w-00001');
    const leading: Fetch = (url) =>
      url.endsWith('out.json') ? Promise.resolve(new Response(out)) : served(url);
    await expect(ran({ weights: 'w/out.json', fetch: leading })).rejects.toThrow('leads out of the folder');
    await expect(ran({ weights: chosen.slice(1) })).rejects.toThrow('the weights do not fit the graph');
  });
});

describe('a model with its classifier', () => {
  const [guided] = GUIDED_CASES;
  const part = ({ text, seed }: { readonly text: string; readonly seed: number }, gradient: boolean) => ({
    bundle: compile(text, { gradient }),
    weights: `hash:${seed}`,
  });
  const model = part(guided!.model, false);
  const classifier = part(guided!.classifier, true);

  test('is opened on one device, and gives its gradient', async () => {
    await using opened = await openModel({ ...model, classifier, gpu });
    const { in_channels, image_size, classifier_classes } = opened.interface;
    expect(classifier_classes).toBeGreaterThan(1);
    const shape = [1, in_channels, ...image_size];
    const x = { shape, data: new Float32Array(shape.reduce((a, b) => a * b)) };
    const labels = opened.interface.num_classes === null ? {} : { y: [0] };
    const { gradient } = await opened.run({ x, timesteps: [1], classifier_y: [0], ...labels });
    expect(gradient?.shape).toEqual(shape);
  });

  test('has to go with it', async () => {
    const opening = openModel({ ...model, classifier: { ...model }, gpu });
    await expect(opening).rejects.toMatchObject({ name: 'RuntimeError', kind: 'input' });
  });
});

describe('a device', () => {
  test('of the caller stays open', async () => {
    const device = await (await gpu.requestAdapter())!.requestDevice();
    expect(await ran({ device })).toEqual([1, 1, 8, 8]);
    device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST }).destroy();
    await device.queue.onSubmittedWorkDone();
    device.destroy();
  });

  test('that is lost ends what is under way with what to do', async () => {
    const device = await (await gpu.requestAdapter())!.requestDevice();
    const model = await openModel({ bundle: 'm', weights: 'w.safetensors', device, fetch: get });
    device.destroy();
    const error = await model.lost;
    expect(error).toMatchObject({ name: 'RuntimeError', kind: 'gpu' });
    expect(error?.message).toMatch(
      /^the GPU device was lost \(destroyed\): .*; open the model again, on another device/,
    );
    await expect(model.run(inputs)).rejects.toThrow(error!.message);
    const samples = model.sample([{ seed: 0 }], { steps: '2' });
    await expect(samples.next()).rejects.toThrow('open the model again');
    await model.close();
  });

  test('is told by null where the model was closed', async () => {
    const model = await openModel({ bundle: 'm', weights: 'w.safetensors', gpu, fetch: get });
    await model.close();
    expect(await model.lost).toBeNull();
    await expect(model.run(inputs)).rejects.toThrow('the model was closed');
  });

  test('that cannot be had is told before anything is downloaded', async () => {
    const asked: string[] = [];
    const counting: Fetch = (url) => {
      asked.push(url);
      return get(url);
    };
    vi.stubGlobal('navigator', {});
    const options = { bundle: 'm', weights: 'w.safetensors', fetch: counting };
    await expect(openModel(options)).rejects.toThrow('there is no WebGPU here (no navigator.gpu)');
    expect(asked).toEqual([]);
    vi.unstubAllGlobals();
    const none = { requestAdapter: async () => null } as unknown as GPU;
    await expect(openModel({ ...options, gpu: none })).rejects.toMatchObject({ kind: 'adapter' });
  });
});

describe('a signal', () => {
  test('ends a download, with its reason', async () => {
    const ending = new AbortController();
    const slow: Fetch = (url, init) =>
      url === 'w.safetensors'
        ? new Promise((_, reject) =>
            init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason)),
          )
        : get(url);
    const opening = ran({ fetch: slow, signal: ending.signal });
    setTimeout(() => ending.abort(new Error('enough')), 20);
    await expect(opening).rejects.toThrow('enough');
    await expect(ran({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  });

  test('ends a sampling between two steps', async () => {
    const model = await openModel({ bundle: 'm', weights: 'w.safetensors', gpu, fetch: get });
    // a pass of the null backend leaves whatever its memory held
    const ending = new AbortController();
    const drawing = model.sample([{ seed: 0 }], { steps: '50', signal: ending.signal });
    ending.abort(new Error('enough'));
    await expect(drawing.next()).rejects.toThrow('enough');
    await model.close();
  });
});

test('a page in the background, whose timers hardly run, computes all the same', async () => {
  const model = await openModel({ bundle: 'm', weights: 'w.safetensors', gpu, fetch: get });
  vi.stubGlobal('setTimeout', () => 0);
  vi.stubGlobal('setInterval', () => 0);
  for (let i = 0; i < 3; i++) expect((await model.run(inputs)).output.shape).toEqual([1, 1, 8, 8]);
  vi.unstubAllGlobals();
  await model.close();
});

test.each<[string, object]>([
  ["openModel: there is no option 'weight'; did you mean weights?", { weight: 'w' }],
  ["bundle: found 5, expected the address of a bundle's folder", { bundle: 5 }],
  ['weights: found a list of 0, expected an address, a File', { weights: [] }],
  ['device: found an object, expected a GPUDevice', { device: {} }],
  ['cache: found 5, expected true, false, the name of a cache', { cache: 5 }],
  ['digests: found a Map of 1, expected a Map of SHA-256', { digests: new Map([['w', 'x']]) }],
  ['timeout: found 0, expected a number of seconds above 0', { timeout: 0 }],
  ['signal: found 1, expected an AbortSignal', { signal: 1 }],
  ['weights: classifier needs it', { classifier: { bundle: 'm' } }],
])('%s …', async (message, options) => {
  const opening = openModel({ bundle: 'm', weights: 'w', gpu, fetch: get, ...options } as OpenModelOptions);
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toBeInstanceOf(UsageError);
});

test('a file of a bundle that is missing, or cannot be read, is told by its path', async () => {
  const { size } = inFolder;
  expect(size).toBeGreaterThan(1);
  await expect(ran({ bundle: new Map() })).rejects.toThrow('the bundle: manifest.json is missing');
  const failing = () => Promise.reject(new Error('no permission'));
  await expect(ran({ bundle: failing })).rejects.toThrow(
    'the bundle: manifest.json cannot be read: no permission',
  );
  const first = [...bundle.kernels.keys()][0]!;
  const without = new Map([...inFolder].filter(([file]) => file !== `kernels/${first}`));
  await expect(ran({ bundle: without })).rejects.toThrow(`the bundle: kernels/${first} is missing`);
});
