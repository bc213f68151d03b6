// `unetc/runtime` as a page loads it: bundled for a browser, with nothing of Node in it, and run where there is none.

import { readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { sep } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { type RolldownOutput, rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import { compile } from '../../engine/api.ts';
import { formatManifest } from '../../runtime/bundle.ts';
import type * as Runtime from '../../runtime/runtime.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';

/** What a page's global scope has that the runtime may use. */
const WEB = {
  AbortController,
  AbortSignal,
  TextDecoder,
  TextEncoder,
  URL,
  crypto,
  performance,
  setTimeout,
  clearTimeout,
  fetch,
};

/** Bundles files for a browser; what they import beyond each other is left as it is. */
async function bundled(input: string | readonly string[]): Promise<RolldownOutput['output']> {
  const build = await rolldown({
    input: typeof input === 'string' ? input : [...input],
    platform: 'browser',
    external: (id) => /^node:|^webgpu$/.test(id) || isBuiltin(id),
  });
  const one = typeof input === 'string';
  return (await build.generate(one ? { format: 'iife', name: 'unetc', codeSplitting: false } : {})).output;
}

/** What is imported and is none of the output's own files. */
function outside(output: RolldownOutput['output']): readonly string[] {
  const own = new Set(output.map(({ fileName }) => fileName));
  const chunks = output.flatMap((one) => (one.type === 'chunk' ? [one] : []));
  return chunks
    .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    .filter((id) => !own.has(id));
}

const node = 'runtime/host/node/';
const files = readdirSync('runtime', { recursive: true, encoding: 'utf8' })
  .map((file) => `runtime/${file.split(sep).join('/')}`)
  .filter((file) => file.endsWith('.ts'));

test('the search for Node sees it', async () => {
  expect(outside(await bundled([`${node}dawn.ts`]))).toEqual(
    expect.arrayContaining(['node:process', 'webgpu']),
  );
});

test('no file but those of the host for Node imports or names anything of Node, or Dawn', async () => {
  const output = await bundled(files.filter((file) => !file.startsWith(node)));
  expect(outside(output)).toEqual([]);
  const code = output.flatMap((one) => (one.type === 'chunk' ? [one.code] : [])).join('\n');
  expect(code).not.toMatch(
    /\bprocess\.(env|argv|exit|cwd|std\w+|platform)\b|\b__dirname\b|\brequire\(|\bBuffer\./,
  );
});

test('reads a bundle and its weights where there is no Node', async () => {
  const scope = createContext({ ...WEB });
  expect(runInContext('typeof process + typeof Buffer + typeof setImmediate', scope)).toBe(
    'undefinedundefinedundefined',
  );
  const [chunk] = await bundled('runtime/runtime.ts');
  expect(chunk.moduleIds.filter((id) => id.includes(`/${node}`))).toEqual([]);
  const runtime = runInContext(`${chunk.code}; unetc`, scope) as typeof Runtime;
  const { manifest, kernels } = compile('graphs/mnist.json');
  const served = new Map([
    ['models/mnist/manifest.json', formatManifest(manifest)],
    ...[...kernels].map(([file, text]) => [`models/mnist/kernels/${file}`, text] as const),
  ]);
  const get: Runtime.Fetch = async (url) => {
    const body = served.get(url);
    return new Response(body ?? '', { status: body === undefined ? 404 : 200 });
  };
  const bundle = await runtime.fetchBundle('models/mnist', get);
  expect(bundle.manifest.sha256).toBe(manifest.sha256);
  expect(bundle.kernels.size).toBe(kernels.size);
  const tensor = { shape: [2], data: Float32Array.of(1, 2) };
  const weights = await runtime.blobWeights(new Blob([writeTensors(new Map([['a', tensor]]))]));
  expect([...weights.read('a', [2])]).toEqual([1, 2]);
});
