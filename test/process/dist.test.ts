// What the build wrote: entries that start by reading little, and imports that whoever installs unetc can resolve.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const dist = join(root, 'dist');

/** Bundled code quotes its imports like this; text in it that becomes a program quotes like the sources. */
const STATIC = /^(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*"([^"]+)"/gm;
const DYNAMIC = /\bimport\("([^"]+)"\)|\bcreateRequire\d*\(import\.meta\.url\)\("([^"]+)"\)/g;
const TYPES = /\bfrom '([^']+)'|\bimport\(["']([^"']+)["']\)/g;

/** What a file of the build names by a pattern. */
function named(file: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map((match) => match[1] ?? match[2]!);
}

/** A file of the build and all that is loaded with it. */
function closure(entry: string, pattern: RegExp): readonly string[] {
  const files = new Set([join(dist, entry)]);
  for (const file of files) {
    for (const name of named(file, pattern).filter((one) => one.startsWith('.'))) {
      const path = resolve(dirname(file), name);
      files.add(entry.endsWith('.d.ts') ? path.replace(/\.[jt]s$/, '.d.ts') : path);
    }
  }
  return [...files];
}

/** The packages among what files name. */
function packages(files: readonly string[], ...patterns: readonly RegExp[]): readonly string[] {
  const names = files.flatMap((file) => patterns.flatMap((pattern) => named(file, pattern)));
  const bare = names.filter((name) => !name.startsWith('.') && !isBuiltin(name));
  return [...new Set(bare.map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)![0]))].sort();
}

beforeAll(() => expect(existsSync(join(dist, 'cli', 'main.js')), 'run `npm run build` first').toBe(true));

test.each([
  // most of it are the words of all options
  ['cli/main.js', 5, 322],
  // for `unetc validate`; a checkpoint may carry the graph
  ['chunks/graph-file.js', 6, 620],
  ['cli/bench/worker.js', 5, 300],
  ['engine/api.js', 16, 1300],
  // a thread for each core that decodes training data
  ['engine/data/worker.js', 5, 300],
])('%s starts by loading at most %i files, at most %i kB, and no package', (entry, files, kilobytes) => {
  const loaded = closure(entry, STATIC);
  expect(loaded.length).toBeGreaterThan(1);
  expect(loaded.length).toBeLessThanOrEqual(files);
  expect(loaded.reduce((sum, file) => sum + readFileSync(file).length, 0)).toBeLessThan(kilobytes * 1000);
  expect(packages(loaded, STATIC)).toEqual([]);
});

test('the runtime for pages is one file, and its types name no package of Node', async () => {
  const file = join(dist, 'runtime', 'runtime.js');
  expect(closure('runtime/runtime.js', STATIC)).toEqual([file]);
  expect(readFileSync(file, 'utf8')).not.toMatch(/(?:^|[;}\n])import\b|\bfrom\s*["']|\bimport\(/);
  expect(gzipSync(readFileSync(file), { level: 9 }).length).toBeLessThan(60_000);
  expect(await import(file)).toMatchObject({
    openModel: expect.any(Function),
    parseBundle: expect.any(Function),
    createProgram: expect.any(Function),
    openWebDevice: expect.any(Function),
  });
  const types = closure('runtime/runtime.d.ts', TYPES);
  expect(types.flatMap((one) => named(one, TYPES)).filter((name) => name.startsWith('node:'))).toEqual([]);
  expect(packages(types, TYPES)).toEqual([]);
});

test('the packages that the build and its types import are the dependencies', () => {
  const code = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .map((file) => join(dist, file));
  const imported = [
    ...packages(code, STATIC, DYNAMIC),
    ...packages(closure('engine/api.d.ts', TYPES), TYPES),
  ];
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const known = Object.keys({ ...dependencies, ...optionalDependencies });
  expect([...new Set(imported)].sort()).toEqual(known.sort());
});
