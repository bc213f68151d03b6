// Files that the code reads while it runs: the same whether a module runs from its source or from a chunk of the build.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { invariant } from './diagnostics.ts';

/**
 * Where a file or folder lies that ships with the code, given its path in the sources.
 *
 * As packages are found in node_modules: in the nearest folder above this module that holds it. That is dist/ for what
 * the build copies, and the package's own folder for the rest and for the sources.
 */
export function shipped(path: string): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = join(folder, path);
    if (existsSync(found)) return found;
    invariant(folder !== dirname(folder), `${path} is not where the code is`);
  }
}
