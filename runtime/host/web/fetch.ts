// Bundles and weights as a page has them: behind an address, or as a file that somebody chose.

import type { Bundle } from '../../bundle.ts';
import { bytesInMemory, type Origin } from '../../bytes.ts';
import { RuntimeError, type RuntimeErrorKind } from '../../errors.ts';
import { parseBundle } from '../../parse-bundle.ts';
import { openCheckpoint } from '../../weights/checkpoint.ts';
import type { WeightSource } from '../../weights/source.ts';

/** What is used of `fetch`: the page's own, or one that caches or shows progress. */
export type Fetch = (
  url: string,
) => Promise<Pick<Response, 'ok' | 'status' | 'statusText' | 'text' | 'arrayBuffer'>>;

/**
 * Reads the bundle whose folder is served at `base`: its manifest, then all kernels at once. Throws
 * RuntimeError('bundle') where a file cannot be had, or the bundle is not sound.
 */
export async function fetchBundle(base: string | URL, get: Fetch = fetch): Promise<Bundle> {
  const folder = String(base).replace(/\/$/, '');
  const text = async (file: string): Promise<string> =>
    (await answer(`${folder}/${file}`, 'bundle', get)).text();
  return parseBundle(await text('manifest.json'), (file) => text(`kernels/${file}`), folder);
}

/**
 * Reads the checkpoint at an address, `.safetensors` or `.pt` (told apart by content), whole into memory. Throws
 * RuntimeError('weights').
 */
export async function fetchWeights(url: string | URL, get: Fetch = fetch): Promise<WeightSource> {
  const bytes = await (await answer(String(url), 'weights', get)).arrayBuffer();
  return weightsOf(bytes, String(url));
}

/** Reads a checkpoint that is a Blob, such as a file of an `<input>`, whole into memory. Throws RuntimeError('weights'). */
export async function blobWeights(
  blob: Pick<Blob, 'arrayBuffer'>,
  label = 'the weights',
): Promise<WeightSource> {
  return weightsOf(await blob.arrayBuffer(), label);
}

function weightsOf(bytes: ArrayBuffer, label: string): WeightSource {
  const origin: Origin = { kind: 'weights', label };
  return openCheckpoint(bytesInMemory(new Uint8Array(bytes), origin), label);
}

async function answer(url: string, kind: RuntimeErrorKind, get: Fetch): Promise<Awaited<ReturnType<Fetch>>> {
  let found: Awaited<ReturnType<Fetch>>;
  try {
    found = await get(url);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RuntimeError(kind, `${url}: no answer (${reason}); check the address and the connection`, {
      cause: error,
    });
  }
  if (found.ok) return found;
  const said = `${found.status} ${found.statusText}`.trim();
  throw new RuntimeError(kind, `${url}: the server says ${said}; check the address`);
}
