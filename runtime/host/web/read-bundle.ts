// Reads a bundle from wherever a host has it: the address of its folder, files in memory, or a function that reads them.

import type { Bundle } from '../../bundle.ts';
import { sha256 } from '../../bundle.ts';
import { RuntimeError } from '../../errors.ts';
import { parseBundle } from '../../parse-bundle.ts';
import { reasonOf } from './answer.ts';
import type { Files } from './files.ts';

/** What a file may be given as. */
export type FileContent = string | ArrayBuffer | Uint8Array | Pick<Blob, 'arrayBuffer'>;

/**
 * A bundle: parsed before, the address of its folder, its files by their paths in the folder (`manifest.json`,
 * `kernels/….wgsl`), or a function that reads one by its path.
 */
export type BundleSource =
  | Bundle
  | string
  | URL
  | ReadonlyMap<string, FileContent>
  | ((file: string) => FileContent | Promise<FileContent>);

/** Throws RuntimeError('bundle') where a file is missing, cannot be had whole, or the bundle is not sound. */
export async function readBundle(source: BundleSource, files: Files): Promise<Bundle> {
  if (typeof source === 'string' || source instanceof URL) return bundleAt(source, files);
  if (typeof source === 'function') return bundleFrom(source);
  if (source instanceof Map) return bundleFrom((file) => source.get(file));
  return source as Bundle;
}

/** What stands behind a `?`, such as a version or a signature, is asked for with every file. */
function bundleAt(base: string | URL, files: Files): Promise<Bundle> {
  const [, address = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(String(base)) ?? [];
  const folder = address.replace(/\/$/, '');
  const read = async (file: string, isCurrent?: (text: string) => Promise<boolean>) => {
    const current = isCurrent && ((bytes: Uint8Array) => isCurrent(textOf(bytes)));
    return textOf(await files.read(`${folder}/${file}${query}`, 'bundle', current));
  };
  return parsed(folder, read);
}

function bundleFrom(
  read: (file: string) => FileContent | undefined | Promise<FileContent | undefined>,
): Promise<Bundle> {
  const label = 'the bundle';
  return parsed(label, async (file) => {
    let content: FileContent | undefined;
    try {
      content = await read(file);
    } catch (error) {
      throw new RuntimeError('bundle', `${label}: ${file} cannot be read: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    if (content === undefined) {
      throw new RuntimeError(
        'bundle',
        `${label}: ${file} is missing; give all files of the bundle's folder by their paths`,
      );
    }
    if (typeof content === 'string') return content;
    return textOf(
      content instanceof Uint8Array || content instanceof ArrayBuffer ? content : await content.arrayBuffer(),
    );
  });
}

async function parsed(
  label: string,
  read: (file: string, isCurrent?: (text: string) => Promise<boolean>) => Promise<string>,
): Promise<Bundle> {
  const isDigest = (digest: string) => async (text: string) => (await sha256(text)) === digest;
  return parseBundle(
    await read('manifest.json'),
    (file, digest) => read(`kernels/${file}`, isDigest(digest)),
    label,
  );
}

function textOf(bytes: ArrayBuffer | Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
