// Reads a bundle from its texts and checks it whole before any of it is used.

import { BUNDLE_VERSION, type Bundle, digestedText, manifestSchema, sha256 } from './bundle.ts';
import { checkManifest } from './bundle-check.ts';
import { RuntimeError } from './errors.ts';
import { holdAgainst } from './schema-faults.ts';

/** Levels of arrays and objects that a manifest may have. */
const MOST_LEVELS = 64;

/** Which unetc wrote the manifests of the versions before this one. */
const WRITERS: ReadonlyMap<unknown, string> = new Map([
  [1, 'a unetc before 0.1.0'],
  [2, 'unetc 0.1.0'],
]);

/**
 * Reads a bundle and checks it whole: the manifest's shape, every index and extent, its own hash and
 * that of every kernel.
 * `kernelText` is asked for all kernels at once, with the digest that each has; `label` names the bundle in messages. Throws RuntimeError('bundle').
 */
export async function parseBundle(
  manifestText: string,
  kernelText: (file: string, sha256: string) => string | undefined | Promise<string | undefined>,
  label: string,
): Promise<Bundle> {
  const fail = (message: string, remedy = 'compile the graph again'): never => {
    throw new RuntimeError('bundle', `${label}: ${message}; ${remedy}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(manifestText);
  } catch (error) {
    return fail(`manifest.json is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (isDeeperThan(json, MOST_LEVELS)) {
    return fail(
      `manifest.json nests more than ${MOST_LEVELS} levels deep; none that unetc writes has half of them`,
    );
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (version !== undefined && version !== BUNDLE_VERSION) {
    return fail(
      `manifest.json has version ${shown(version)}, which ${writerOf(version)} wrote, and this unetc reads ` +
        `version ${BUNDLE_VERSION}`,
      'compile its graph again, `unetc compile GRAPH -o DIR`; where the file of the graph is lost, it is in the ' +
        'manifest under "graph"',
    );
  }
  const parsed = holdAgainst(manifestSchema, json);
  if (!parsed.success) return fail(parsed.faults.map((text) => `manifest.json:${text}`).join('\n'));
  const manifest = parsed.data;
  const faults = checkManifest(manifest);
  if (faults.length > 0) fail(faults.slice(0, 8).join('\n'));
  const digest = await sha256(digestedText(manifest));
  if (digest !== manifest.sha256) {
    fail(
      `manifest.json has SHA-256 ${digest}, it says ${manifest.sha256}: it was changed after it was compiled`,
    );
  }
  const kernels = new Map<string, string>();
  const texts = await Promise.all(manifest.kernels.map(({ file, sha256 }) => kernelText(file, sha256)));
  for (const [i, { file, sha256: expected }] of manifest.kernels.entries()) {
    const text = texts[i];
    if (text === undefined) return fail(`kernels/${file} is missing`);
    const found = await sha256(text);
    if (found !== expected) fail(`kernels/${file} has SHA-256 ${found}, the manifest expects ${expected}`);
    kernels.set(file, text);
  }
  return { manifest, kernels };
}

/** Whether JSON nests deeper than so many levels, told without a stack as deep. */
function isDeeperThan(json: unknown, levels: number): boolean {
  let level: readonly unknown[] = [json];
  for (let depth = 0; depth <= levels; depth++) {
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}

/** A value of a file in a message, shortened. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function writerOf(version: unknown): string {
  const later = typeof version === 'number' && version > BUNDLE_VERSION;
  return WRITERS.get(version) ?? (later ? 'a later unetc' : 'another program');
}
