// Bundles and weights from addresses and Blobs, by a made-up fetch.

import { expect, test } from 'vitest';
import { compile } from '../../../../engine/api.ts';
import { formatManifest } from '../../../../runtime/bundle.ts';
import { RuntimeError } from '../../../../runtime/errors.ts';
import type { Fetch } from '../../../../runtime/host/web/answer.ts';
import { blobWeights, fetchBundle, fetchWeights } from '../../../../runtime/host/web/fetch.ts';
import { writeTensors } from '../../../../runtime/weights/safetensors-write.ts';

const compiled = compile('graphs/mnist.json');

/** Serves files by their address, and keeps which were asked for. */
function server(files: Iterable<readonly [string, string | Uint8Array<ArrayBuffer>]>) {
  const served = new Map(files);
  const asked: string[] = [];
  const get: Fetch = async (url) => {
    asked.push(url);
    const body = served.get(url);
    return new Response(body ?? '', body === undefined ? { status: 404, statusText: 'Not Found' } : {});
  };
  return { get, asked, served };
}

function bundleAt(base: string) {
  const kernels = [...compiled.kernels].map(([file, text]) => [`${base}/kernels/${file}`, text] as const);
  return server([[`${base}/manifest.json`, formatManifest(compiled.manifest)], ...kernels]);
}

test.each(['m/mnist', 'm/mnist/', new URL('https://example.org/m/mnist')])('a bundle at %s', async (base) => {
  const { get, asked } = bundleAt(String(base).replace(/\/$/, ''));
  const bundle = await fetchBundle(base, get);
  expect(bundle.manifest).toEqual(compiled.manifest);
  expect(bundle.kernels).toEqual(compiled.kernels);
  expect(asked).toHaveLength(1 + compiled.kernels.size);
});

test('a query of the address is asked for with every file', async () => {
  const { get, asked } = bundleAt('https://example.org/m');
  const plain: Fetch = (url) => get(url.replace('?v=3&s=%2F', ''));
  const bundle = await fetchBundle(new URL('https://example.org/m/?v=3&s=%2F#part'), (url) => {
    expect(url).toMatch(/\?v=3&s=%2F$/);
    return plain(url);
  });
  expect(bundle.manifest).toEqual(compiled.manifest);
  expect(asked[0]).toBe('https://example.org/m/manifest.json');
});

test('an answer that breaks off is told as one', async () => {
  const broken: Fetch = async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{'));
        controller.error(new TypeError('terminated'));
      },
    });
    return new Response(body);
  };
  await expect(fetchBundle('m', broken)).rejects.toMatchObject({ name: 'RuntimeError', kind: 'bundle' });
  await expect(fetchBundle('m', broken)).rejects.toThrow(
    'm/manifest.json: the answer broke off (terminated)',
  );
  await expect(fetchWeights('w', broken)).rejects.toMatchObject({ name: 'RuntimeError', kind: 'weights' });
});

test('the key behind an URL is the name itself, not as URLs write it', async () => {
  const tensors = new Map([['my model/a.b', { shape: [1], data: Float32Array.of(2) }]]);
  const { get, asked } = server([['https://example.org/w%20x', new Uint8Array(writeTensors(tensors))]]);
  for (const address of [
    new URL('https://example.org/w x#my model/'),
    'https://example.org/w%20x#my model/',
  ]) {
    const weights = await fetchWeights(address, get);
    expect(weights.tensors).toEqual([{ name: 'a.b', shape: [1] }]);
    expect(weights.label).toContain('#my model/');
  }
  expect(asked).toEqual(Array(2).fill('https://example.org/w%20x'));
});

test('kernels are asked for all at once', async () => {
  const { get } = bundleAt('m');
  let [waiting, most] = [0, 0];
  await fetchBundle('m', async (url) => {
    most = Math.max(most, ++waiting);
    await new Promise((resolve) => setTimeout(resolve, 5));
    waiting--;
    return get(url);
  });
  expect(most).toBe(compiled.kernels.size);
});

test('a file that is missing, and a server that does not answer', async () => {
  const { get, served } = bundleAt('m');
  const [file] = [...compiled.kernels.keys()];
  served.delete(`m/kernels/${file}`);
  const missing = fetchBundle('m', get);
  await expect(missing).rejects.toMatchObject({ name: 'RuntimeError', kind: 'bundle' });
  await expect(missing).rejects.toThrow(`m/kernels/${file}: the server says 404 Not Found`);
  const none = fetchWeights('w', () => Promise.reject(new TypeError('Failed to fetch')));
  await expect(none).rejects.toMatchObject({ kind: 'weights' });
  await expect(none).rejects.toThrow('w: no answer (Failed to fetch)');
});

test('a kernel that was changed on the way is refused', async () => {
  const { get, served } = bundleAt('m');
  const [file] = [...compiled.kernels.keys()];
  served.set(`m/kernels/${file}`, '// something else');
  await expect(fetchBundle('m', get)).rejects.toThrow(RuntimeError);
});

test('weights from an address and from a Blob', async () => {
  const bytes = writeTensors(new Map([['out.bias', { shape: [3], data: Float32Array.of(1, 2, 3) }]]));
  const { get } = server([['w.safetensors', bytes as Uint8Array<ArrayBuffer>]]);
  for (const source of [
    await fetchWeights('w.safetensors', get),
    await blobWeights(new Blob([bytes as Uint8Array<ArrayBuffer>]), 'chosen.safetensors'),
  ]) {
    expect(source.tensors).toEqual([{ name: 'out.bias', shape: [3] }]);
    expect([...source.read('out.bias', [3])]).toEqual([1, 2, 3]);
  }
});

test('bytes that are no checkpoint are told as such', async () => {
  const opening = blobWeights(new Blob(['<html>']), 'chosen.pt');
  await expect(opening).rejects.toThrow('chosen.pt: this is a web page or XML');
});
