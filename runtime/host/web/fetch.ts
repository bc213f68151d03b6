// Bundles and weights as a page has them: behind an address, or as a file that somebody chose.

import type { Bundle } from '../../bundle.ts';
import { bytesInMemory, type Origin } from '../../bytes.ts';
import { RuntimeError, type RuntimeErrorKind } from '../../errors.ts';
import { parseBundle } from '../../parse-bundle.ts';
import { openCheckpoint, splitAddress } from '../../weights/checkpoint.ts';
import type { CheckpointAddress, WeightSource } from '../../weights/source.ts';

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
 * Reads the checkpoint at an address, `.safetensors` or `.pt` (told apart by content), whole into memory. What stands
 * behind a `#` is the state dict or the prefix of names that is meant. Throws RuntimeError('weights').
 */
export async function fetchWeights(url: string | URL, get: Fetch = fetch): Promise<WeightSource> {
  const address = splitAddress(String(url));
  const bytes = await (await answer(address.file, 'weights', get)).arrayBuffer();
  return weightsOf(bytes, address);
}

/**
 * Reads a checkpoint that is a Blob, such as a file of an `<input>`, whole into memory. `key` is the state dict or the
 * prefix of names that is meant, where it holds more than one. Throws RuntimeError('weights').
 */
export async function blobWeights(
  blob: Pick<Blob, 'arrayBuffer'>,
  label = 'the weights',
  key: string | null = null,
): Promise<WeightSource> {
  const named = key === null ? label : `${label}#${key}`;
  return weightsOf(await blob.arrayBuffer(), { label: named, file: label, key });
}

function weightsOf(bytes: ArrayBuffer, address: CheckpointAddress): WeightSource {
  const origin: Origin = { kind: 'weights', label: address.label };
  return openCheckpoint(bytesInMemory(new Uint8Array(bytes), origin), address);
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
