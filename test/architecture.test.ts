// The documents of the house speak of files that exist.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

test.each([
  ['compiler/README.md', ['', 'compiler', 'runtime']],
  ['CONTRIBUTING.md', ['']],
])('every file and folder that %s names is there', (file, places) => {
  const text = readFileSync(join(root, file), 'utf8');
  const named = [...text.matchAll(/`((?:[\w-]+\/)+(?:[\w-]+\.\w+)?|[\w-]+\.(?:ts|wgsl))`/g)].map(
    (m) => m[1]!,
  );
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter((path) => !places.some((place) => existsSync(join(root, place, path))));
  expect(missing).toEqual([]);
});

test.each(['compiler', 'runtime', 'engine', 'cli', 'test'])(
  'every link of %s/README.md leads somewhere',
  (folder) => {
    const readme = readFileSync(join(root, folder, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((m) => m[1]!);
    expect(links.length).toBeGreaterThan(1);
    expect(links.filter((link) => !existsSync(join(root, folder, link)))).toEqual([]);
  },
);

test.each([
  ...['README.md', 'CONTRIBUTING.md', 'graphs/README.md', 'examples/README.md'],
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
])('every link of %s leads somewhere', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((m) => m[1]!);
  expect(links.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([]);
});

test('docs/README.md and examples/README.md name every file beside them', () => {
  for (const folder of ['docs', 'examples']) {
    const readme = readFileSync(join(root, folder, 'README.md'), 'utf8');
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(md|sbatch|ya?ml|schema\.json)$|^Dockerfile$/.test(entry.name))
      .map((entry) => relative(join(root, folder), join(entry.parentPath, entry.name)))
      .filter((name) => name !== 'README.md');
    expect(files.filter((name) => !readme.includes(`](${name})`))).toEqual([]);
  }
});

test.each(['runtime', 'engine', 'cli'])('%s/README.md names every folder in it, and no other', (folder) => {
  const readme = readFileSync(join(root, folder, 'README.md'), 'utf8');
  const rows = readme.split('\n').filter((line) => line.startsWith('| '));
  const named = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([\w-]+)\/`/g)].map((m) => m[1]!));
  const folders = readdirSync(join(root, folder), { withFileTypes: true });
  const there = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect([...new Set(named)].sort()).toEqual(there.sort());
});
