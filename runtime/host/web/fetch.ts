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
 * Reads the bundle whose folder is served at `base`: its manifest, then all kernels at once. What stands behind a `?`, such
 * as a version or a signature, is asked for with every file. Throws RuntimeError('bundle') where a file cannot be had
 * whole, or the bundle is not sound.
 */
export async function fetchBundle(base: string | URL, get: Fetch = fetch): Promise<Bundle> {
  const [, address = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(String(base)) ?? [];
  const folder = address.replace(/\/$/, '');
  const text = (file: string) => answer(`${folder}/${file}${query}`, 'bundle', get, (found) => found.text());
  return parseBundle(await text('manifest.json'), (file) => text(`kernels/${file}`), folder);
}

/**
 * Reads the checkpoint at an address, `.safetensors` or `.pt` (told apart by content), whole into memory. What stands
 * behind a `#` is the state dict or the prefix of names that is meant. Throws RuntimeError('weights').
 */
export async function fetchWeights(url: string | URL, get: Fetch = fetch): Promise<WeightSource> {
  const address = typeof url === 'string' ? splitAddress(url) : addressOfUrl(url);
  const bytes = await answer(address.file, 'weights', get, (found) => found.arrayBuffer());
  return weightsOf(bytes, address);
}

/** An URL writes signs of its fragment as `%20`; names in checkpoints have the signs themselves. */
function addressOfUrl(url: URL): CheckpointAddress {
  const { file, key } = splitAddress(url.href);
  if (key === null) return { label: file, file, key };
  let decoded = key;
  try {
    decoded = decodeURIComponent(key);
  } catch {
    // a percent sign that stands for itself
  }
  return { label: `${file}#${decoded}`, file, key: decoded };
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

/** The body of an answer, read whole by `read`. */
async function answer<T>(
  url: string,
  kind: RuntimeErrorKind,
  get: Fetch,
  read: (found: Awaited<ReturnType<Fetch>>) => Promise<T>,
): Promise<T> {
  let found: Awaited<ReturnType<Fetch>>;
  try {
    found = await get(url);
  } catch (error) {
    throw new RuntimeError(
      kind,
      `${url}: no answer (${reasonOf(error)}); check the address and the connection`,
      {
        cause: error,
      },
    );
  }
  if (!found.ok) {
    const said = `${found.status} ${found.statusText}`.trim();
    throw new RuntimeError(kind, `${url}: the server says ${said}; check the address`);
  }
  try {
    return await read(found);
  } catch (error) {
    throw new RuntimeError(kind, `${url}: the answer broke off (${reasonOf(error)}); load it again`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
