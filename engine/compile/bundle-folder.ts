// A bundle as a folder: manifest.json, kernels/*.wgsl, and the typed module beside them where it was asked for.

import path from 'node:path';
import { type Bundle, formatManifest } from '../../runtime/bundle.ts';
import { decodeUtf8 } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { pathKind, readFile } from '../../runtime/host/node/files.ts';
import { writeFolder } from '../../runtime/host/node/folders.ts';
import { parseBundle } from '../../runtime/parse-bundle.ts';

/** The bundle's file that names all others. */
export const MANIFEST = 'manifest.json';

/** Files of the typed module: types for the compiler of a caller, and the code behind them. */
export const TYPES_FILE = 'bundle.d.ts';
export const MODULE_FILE = 'bundle.js';

/** The module's first line, by which a file is known as ours. */
export const MODULE_MARK = '// Written by unetc compile --types; do not edit.';

/** Whether a path leads to a folder, which as a model can only be a bundle. */
export function isBundleFolder(file: string): boolean {
  return pathKind(file) === 'folder';
}

/** The files of a bundle by their relative path, ready for `writeFolder`; `types` are those of the typed module. */
export function bundleFiles(
  bundle: Bundle,
  types: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const kernels = [...bundle.kernels].map(([file, text]) => [`kernels/${file}`, text] as const);
  return new Map([[MANIFEST, formatManifest(bundle.manifest)], ...kernels, ...types]);
}

/**
 * Writes a bundle as a folder that appears whole or not at all. An older bundle in its place is replaced; a folder
 * that holds anything else is refused. Throws RuntimeError('output').
 */
export function writeBundle(folder: string, files: ReadonlyMap<string, string>): void {
  // Only beside a manifest of ours is a .wgsl file a kernel of ours.
  const bundle = isBundleFolder(folder) && isOurManifest(path.join(folder, MANIFEST));
  writeFolder(folder, files, (name, read) => {
    if (!bundle) return false;
    if (name === TYPES_FILE || name === MODULE_FILE) {
      return (decodeUtf8(read()) ?? '').startsWith(MODULE_MARK);
    }
    return name === MANIFEST || /^kernels\/[a-z0-9_.-]+\.wgsl$/.test(name);
  });
}

/** Reads a bundle's folder and checks it whole. Throws RuntimeError('bundle') with every fault. */
export async function readBundle(folder: string): Promise<Bundle> {
  const file = path.join(folder, MANIFEST);
  const kind = pathKind(folder);
  if (kind !== 'folder') {
    const found = kind === 'missing' ? 'there is no such folder' : 'this is no folder';
    throw new RuntimeError(
      'bundle',
      `${folder}: ${found}; make a bundle with unetc compile GRAPH -o ${folder}`,
    );
  }
  if (pathKind(file) !== 'file') {
    throw new RuntimeError(
      'bundle',
      `${folder}: this folder holds no ${MANIFEST}; name a graph file, or a folder that unetc compile wrote`,
    );
  }
  return parseBundle(
    readText(file),
    (name) => {
      const kernel = path.join(folder, 'kernels', name);
      return pathKind(kernel) === 'file' ? readText(kernel) : undefined;
    },
    folder,
  );
}

function readText(file: string): string {
  const text = decodeUtf8(readFile({ kind: 'bundle', label: file }));
  if (text === null)
    throw new RuntimeError('bundle', `${file}: the file is not UTF-8 text; compile the graph again`);
  return text;
}

function isOurManifest(file: string): boolean {
  if (pathKind(file) !== 'file') return false;
  try {
    const manifest: unknown = JSON.parse(readText(file));
    return typeof manifest === 'object' && manifest !== null && 'format' in manifest
      ? manifest.format === 'unetc-bundle'
      : false;
  } catch {
    return false;
  }
}
