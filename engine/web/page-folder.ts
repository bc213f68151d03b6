// The folder of a page: which files are in it, and how one is known that was written before.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { shipped } from '../../compiler/shipped.ts';
import { decodeUtf8 } from '../../runtime/bytes.ts';
import { pathKind, readFile } from '../../runtime/host/node/files.ts';
import type { FileContent, Owned } from '../../runtime/host/node/folders.ts';
import { PAGE_MODEL } from '../../web/page-model.ts';

/** Where the build has the page's own files. */
const BUILT = 'dist/web';

/** The page's own files, the same for every model. */
export const PAGE_FILES = ['index.html', 'page.css', 'page.js', 'worker.js'] as const;

/** The page's own files by name, as they are built. */
export function pageFiles(): ReadonlyMap<string, FileContent> {
  return new Map(PAGE_FILES.map((name) => [name, readFileSync(shipped(`${BUILT}/${name}`))]));
}

const WRITTEN =
  /^(model|classifier)\/(manifest\.json|kernels\/[a-z0-9_.-]+\.wgsl|weights(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?)$/;

/** Tells a page's files in `folder`: only beside a model.json of a page they are ours. */
export function ownedBy(folder: string): Owned {
  const isPage = pathKind(folder) === 'folder' && isPageModel(path.join(folder, PAGE_MODEL));
  const own: readonly string[] = [...PAGE_FILES, PAGE_MODEL];
  return (name) => isPage && (own.includes(name) || WRITTEN.test(name));
}

function isPageModel(file: string): boolean {
  if (pathKind(file) !== 'file') return false;
  try {
    const found: unknown = JSON.parse(decodeUtf8(readFile({ kind: 'output', label: file })) ?? '');
    return typeof found === 'object' && found !== null && 'format' in found && found.format === 'unetc-page';
  } catch {
    return false;
  }
}
