// The architecture document speaks of files that exist.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(root, 'compiler', 'README.md'), 'utf8');

test('every file and folder that compiler/README.md names is there', () => {
  const named = [...text.matchAll(/`((?:[\w-]+\/)+(?:[\w-]+\.\w+)?|[\w-]+\.(?:ts|wgsl))`/g)].map(
    (m) => m[1]!,
  );
  expect(named.length).toBeGreaterThan(30);
  const places = ['', 'compiler', 'runtime'];
  const missing = named.filter((path) => !places.some((place) => existsSync(join(root, place, path))));
  expect(missing).toEqual([]);
});

test('and every link leads somewhere', () => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((m) => m[1]!);
  expect(links.length).toBeGreaterThan(1);
  expect(links.filter((link) => !existsSync(join(root, 'compiler', link)))).toEqual([]);
});
