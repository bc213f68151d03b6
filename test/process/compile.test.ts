// `unetc compile` from dist/, in processes that differ in all but their words. Needs the build.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { contents, temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const GRAPH = 'graphs/mnist.json';

test('gives the same bytes in another folder, place, locale and time zone', () => {
  const main = path.resolve('dist/cli/main.js');
  const compile = (folder: string, cwd: string, graph: string, env: Record<string, string>) => {
    const words = [main, 'compile', graph, '-o', folder, '--types'];
    execFileSync(process.execPath, words, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
    return contents(folder);
  };
  const graph = path.resolve(GRAPH);
  const one = compile(at('one'), process.cwd(), GRAPH, { LC_ALL: 'C', TZ: 'UTC' });
  const env = { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Asia/Kolkata', NO_COLOR: '1' };
  expect(compile(at('deep', 'er', 'two'), at(), graph, env)).toEqual(one);
  expect(Object.keys(one).length).toBeGreaterThan(10);
});
