// Where this package lies and which version it and Dawn are, whether it runs from its sources or as built.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InternalError } from '../compiler/diagnostics.ts';

/** The folder of package.json: above cli/ in the sources and above dist/cli/ in the build. */
export function packageRoot(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new InternalError('no package.json above the command line');
  }
}

/** The version in package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest && 'version' in manifest) return String(manifest.version);
  throw new InternalError('package.json has no version');
}

/** The package that Dawn comes in, with its version. */
export function dawnVersion(): string {
  try {
    const manifest = createRequire(import.meta.url)('webgpu/package.json') as { version?: string };
    return `webgpu ${manifest.version ?? '?'}`;
  } catch {
    return 'webgpu is not installed';
  }
}
