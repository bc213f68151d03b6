// Where this package lies and which version it and Dawn are, whether it runs from its sources or as built.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { InternalError } from '../compiler/diagnostics.ts';
import { shipped } from '../compiler/shipped.ts';

/** The folder of package.json: above engine/ in the sources and above dist/ in the build. */
export function packageRoot(): string {
  return dirname(shipped('package.json'));
}

/** The version in package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(shipped('package.json'), 'utf8'));
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
