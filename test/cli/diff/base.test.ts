// `unetc diff --base` on made-up repositories with a branch: in place, renamed, deleted, added, bad, mended; what is left out;
// sides in git; clones that were cut short. The workflow around it is tested in test/process/gate.test.ts.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BaseDocument } from '../../../engine/diff/base-document.ts';
import type { DiffDocument } from '../../../engine/diff/document.ts';
import { GRAPH_KEY } from '../../../engine/graph/carried-graph.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { patched } from '../../fixtures/diff-sides.ts';
import { repository } from '../../fixtures/repository.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc, unetcJson } from '../../unetc.ts';

const at = temporaryFolder();
const here = process.cwd();
const BREAKING = { unet: { num_heads: 4 } };

/** A repository with `graphs/a.json` and `graphs/b.json` on main, and a branch that is checked out. */
let repo: ReturnType<typeof repository>;
beforeEach(() => {
  repo = repository(at('repo'));
  repo.write('graphs/a.json', patched({ name: 'a' }));
  repo.write('graphs/b.json', patched({ name: 'b', image_size: 32 }));
  repo.commit('main');
  repo.git('checkout', '-qb', 'work');
  process.chdir(repo.folder);
});
afterEach(() => process.chdir(here));

const base = (...words: readonly string[]) => unetcJson<BaseDocument>('diff', '--base', 'main', ...words);

/** State, paths and rules of every graph. */
const told = ({ graphs }: BaseDocument) =>
  graphs.map(({ state, before, path, diff, diagnostics }) => [
    state,
    before,
    path,
    [...new Set(diff?.findings.map(({ rule }) => rule) ?? diagnostics.map(({ code }) => code))].join(' '),
  ]);

describe('what a branch does to graphs', () => {
  test('nothing', async () => {
    repo.write('README.md', 'x');
    repo.commit('work');
    expect(await base()).toMatchObject({ exit: 0, graphs: [], summary: { graphs: 0, failing: 0 } });
    expect((await unetc('diff', '--base', 'main')).stdout).toMatch(
      /^no graph differs from main \([0-9a-f]{12}\)\n$/,
    );
  });

  test('changed in place, with and without a commit', async () => {
    repo.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    const found = await base();
    expect(found).toMatchObject({ exit: 1, summary: { graphs: 1, breaking: 4, failing: 4, bad: 0 } });
    expect(told(found)).toEqual([
      ['changed', 'graphs/a.json', 'graphs/a.json', 'weights/reinterpreted-heads'],
    ]);
    repo.commit('work');
    expect((await base()).graphs).toEqual(found.graphs);
    expect(found.graphs[0]?.diff?.findings[0]?.position?.line).toBeGreaterThan(1);
    expect(await base('--fail-on', 'never')).toMatchObject({ exit: 0 });
  });

  test('renamed and changed: compared with its old self', async () => {
    renameSync('graphs/a.json', 'graphs/new.json');
    repo.write('graphs/new.json', patched({ name: 'a', ...BREAKING }));
    repo.commit('work');
    const found = await base();
    expect(told(found)).toEqual([
      ['renamed', 'graphs/a.json', 'graphs/new.json', 'graph/renamed weights/reinterpreted-heads'],
    ]);
    expect(found).toMatchObject({ exit: 1, summary: { breaking: 4, dangerous: 1 } });
  });

  test('renamed alone: dangerous, and breaking where it leaves the patterns', async () => {
    renameSync('graphs/a.json', 'graphs/new.json');
    repo.commit('work');
    expect(await base()).toMatchObject({ exit: 0, summary: { breaking: 0, dangerous: 1 } });
    expect(await base('--fail-on', 'dangerous')).toMatchObject({ exit: 1 });
    mkdirSync('models');
    renameSync('graphs/new.json', 'models/a.json');
    repo.commit('work');
    const found = await base();
    expect(told(found)).toEqual([['renamed', 'graphs/a.json', 'models/a.json', 'graph/renamed']]);
    expect(found).toMatchObject({ exit: 1, summary: { breaking: 1 } });
    expect(await base('graphs', 'models')).toMatchObject({ exit: 0 });
  });

  test('deleted, or no graph any more: breaking', async () => {
    rmSync('graphs/a.json');
    repo.write('graphs/b.json', { format: 'unetc-accepted', version: 2, graphs: {} });
    repo.commit('work');
    const found = await base();
    expect(told(found)).toEqual([
      ['deleted', 'graphs/a.json', 'graphs/a.json', 'graph/removed'],
      ['deleted', 'graphs/b.json', 'graphs/b.json', 'graph/removed'],
    ]);
    expect(found).toMatchObject({ exit: 1, summary: { breaking: 2 } });
    expect(found.graphs[1]?.diff?.findings[0]?.message).toBe('the file is accepted findings now');
  });

  test('added: valid and reported, in git or not yet; held to its budgets', async () => {
    repo.write('graphs/c.json', patched({ name: 'c', image_size: 64, budgets: { dispatches: 3 } }));
    repo.write('graphs/d.json', patched({ name: 'd', unet: { model_channels: 64, num_res_blocks: 3 } }));
    repo.git('add', 'graphs/c.json');
    const found = await base();
    expect(told(found)).toEqual([
      ['added', null, 'graphs/c.json', 'graph/added cost/over-budget'],
      ['added', null, 'graphs/d.json', 'graph/added'],
    ]);
    expect(found).toMatchObject({ exit: 1, summary: { breaking: 1, info: 2 } });
    rmSync('graphs/c.json');
    repo.git('add', '-A');
    const { exit, stdout } = await unetc('diff', '--base', 'main');
    expect(exit).toBe(0);
    expect(stdout).toMatch(/graph\/added info: a new graph\n[\s\S]*d, 16x16, [\d,]+ parameters/);
  });

  test('bad: exit 3 with its faults, and the others are told all the same', async () => {
    repo.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    repo.write('graphs/bad.json', patched({ unet: { num_heads: 5 } }));
    repo.write('graphs/broken.json', '{');
    repo.commit('work');
    const found = await base('--fail-on', 'never');
    expect(told(found).map(([state, , path, rules]) => [state, path, rules])).toEqual([
      ['changed', 'graphs/a.json', 'weights/reinterpreted-heads'],
      ['bad', 'graphs/bad.json', expect.stringContaining('G012')],
      ['bad', 'graphs/broken.json', 'G001'],
    ]);
    expect(found).toMatchObject({ exit: 3, summary: { bad: 2 }, error: { kind: 'graph' } });
    const { stdout, stderr, exit } = await unetc('diff', '--base', 'main', '--format', 'github');
    expect(exit).toBe(3);
    expect(stderr).toContain('graphs/bad.json:/unet/num_heads');
    expect(stdout).toMatch(/^::error file=graphs\/bad\.json,line=\d+,col=\d+,title=unetc G012::/m);
    expect(stdout).toMatch(/^::error file=graphs\/a\.json,line=\d+,col=\d+,title=unetc weights\/rein/m);
  });

  test('mended: what it was cannot be compared, which is dangerous', async () => {
    repo.git('checkout', '-q', 'main');
    repo.write('graphs/a.json', '{');
    repo.commit('broken');
    repo.git('checkout', '-qb', 'mend');
    repo.write('graphs/a.json', patched({ name: 'a' }));
    repo.commit('mended');
    const found = await base();
    expect(told(found)).toEqual([['mended', 'graphs/a.json', 'graphs/a.json', 'graph/unread']]);
    expect(found).toMatchObject({ exit: 0, summary: { dangerous: 1 } });
  });

  test('what main did meanwhile is not this branch’s', async () => {
    repo.write('graphs/a.json', patched({ name: 'a', unet: { dropout: 0.1 } }));
    repo.commit('work');
    repo.git('checkout', '-q', 'main');
    repo.write('graphs/b.json', patched({ name: 'b', image_size: 32, ...BREAKING }));
    repo.commit('meanwhile');
    repo.git('checkout', '-q', 'work');
    expect(told(await base())).toEqual([['changed', 'graphs/a.json', 'graphs/a.json', 'numerics/dropout']]);
  });

  test('in TypeScript', async () => {
    const text = (heads: number) =>
      `import { defineUNet } from 'unetc';\nexport default defineUNet(${JSON.stringify(patched({ unet: { num_heads: heads } }))});\n`;
    repo.write('graphs/t.ts', text(2));
    repo.write('graphs/other.ts', 'export const x = 1;\n');
    repo.commit('work');
    repo.git('branch', '-f', 'main', 'work');
    repo.write('graphs/t.ts', text(4));
    repo.write('graphs/other.ts', 'export const x = 2;\n');
    const found = await base('graphs');
    expect(told(found)).toEqual([['changed', 'graphs/t.ts', 'graphs/t.ts', 'weights/reinterpreted-heads']]);
    expect(found.left_out).toEqual([{ path: 'graphs/other.ts', what: 'TypeScript without defineUNet' }]);
  });
});

describe('patterns', () => {
  test('files that are no graphs are left out', async () => {
    for (const [name, file] of Object.entries({
      schema: { $schema: 'http://json-schema.org/draft-07/schema#' },
      tuning: { format: 'unetc-tuning', version: 1 },
      accepted: { format: 'unetc-accepted', version: 2, graphs: {} },
      former: { version: 1, accepted: {} },
    })) {
      repo.write(`graphs/${name}.json`, file);
    }
    repo.commit('work');
    const found = await base();
    expect(found).toMatchObject({ exit: 0, graphs: [] });
    expect(found.left_out.map(({ path, what }) => `${path}: ${what}`)).toEqual([
      'graphs/accepted.json: accepted findings',
      'graphs/former.json: accepted findings',
      'graphs/schema.json: a JSON schema',
      'graphs/tuning.json: a tuning',
    ]);
  });

  test('are git’s, from the folder one is in; names may have anything in them', async () => {
    repo.write('graphs/ö "x"\n.json', patched({ name: 'c', image_size: 64 }));
    repo.write('graphs/a.json', patched({ name: 'a', unet: { dropout: 0.1 } }));
    repo.commit('work');
    process.chdir(`${repo.folder}/graphs`);
    const found = await base('*.json', ':!a.json');
    expect(told(found)).toEqual([['added', null, 'graphs/ö "x"\n.json', 'graph/added']]);
    expect(await base('a.json')).toMatchObject({ graphs: [{ path: 'graphs/a.json' }] });
    expect(await base('nothing/*.json')).toMatchObject({
      exit: 2,
      error: { message: expect.stringContaining('no file here or at the base is called nothing/*.json') },
    });
  });
});

describe('accepted findings', () => {
  const accept = (...words: readonly string[]) => base('--accept', 'graphs/accepted.json', ...words);

  test('belong to graphs, follow a rename, and the file itself is no graph', async () => {
    repo.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    repo.write('graphs/b.json', patched({ name: 'b', image_size: 32, ...BREAKING }));
    await unetc(
      'diff',
      'git:main:graphs/a.json',
      'graphs/a.json',
      '--write-accepted',
      'graphs/accepted.json',
    );
    repo.commit('work');
    const one = await accept();
    expect(one).toMatchObject({ exit: 1, summary: { accepted: 4, failing: 4 } });
    expect(one.left_out).toEqual([{ path: 'graphs/accepted.json', what: 'accepted findings' }]);
    expect(await accept('--write-accepted', '--reason', 'b')).toMatchObject({ exit: 0 });
    expect(await accept()).toMatchObject({ exit: 0, summary: { accepted: 8, failing: 0 } });
    renameSync('graphs/a.json', 'graphs/c.json');
    repo.commit('renamed');
    expect(await accept()).toMatchObject({ exit: 0, summary: { accepted: 8, dangerous: 1 } });
    await accept('--write-accepted');
    const { graphs } = JSON.parse(readFileSync('graphs/accepted.json', 'utf8'));
    expect(Object.keys(graphs)).toEqual(['b.json', 'c.json']);
  });

  test('of graphs that a branch leaves alone stay; a deletion can be accepted', async () => {
    repo.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    await base('--write-accepted', 'graphs/accepted.json');
    repo.git('checkout', '-q', '--', 'graphs/a.json');
    rmSync('graphs/b.json');
    repo.commit('work');
    expect(await accept()).toMatchObject({ exit: 1 });
    await accept('--write-accepted', '--reason', 'nobody uses it');
    expect(await accept()).toMatchObject({ exit: 0, summary: { accepted: 1 } });
    const { graphs } = JSON.parse(readFileSync('graphs/accepted.json', 'utf8'));
    expect(Object.keys(graphs)).toEqual(['a.json', 'b.json']);
  });
});

describe('formats', () => {
  beforeEach(() => {
    repo.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    repo.write('graphs/bad.json', '{');
    rmSync('graphs/b.json');
    repo.commit('work');
  });

  test('markdown has a table of the graphs first, and is added to a summary', async () => {
    writeFileSync('summary.md', 'before\n');
    const { stdout } = await unetc(
      'diff',
      '--base',
      'main',
      '--format',
      'markdown',
      '--summary',
      'summary.md',
    );
    expect(readFileSync('summary.md', 'utf8')).toBe(`before\n${stdout}`);
    expect(stdout).toMatch(/^## 3 graphs differ from main/);
    expect(stdout).toContain('| `graphs/a.json` | changed | 4 |  |  |  |');
    expect(stdout).toContain('| `graphs/b.json` | deleted | 1 |  |  |  |');
    expect(stdout).toContain('### `graphs/bad.json` is no valid graph');
  });

  test('sarif is one run over all graphs', async () => {
    const { stdout } = await unetc('diff', '--base', 'main', '--format', 'sarif');
    const { runs } = JSON.parse(stdout.slice(0, stdout.lastIndexOf('}') + 1));
    expect(runs).toHaveLength(1);
    const uris = runs[0].results.map(
      (result: { locations: [{ physicalLocation: { artifactLocation: { uri: string } } }] }) =>
        result.locations[0].physicalLocation.artifactLocation.uri,
    );
    expect(new Set(uris)).toEqual(new Set(['graphs/a.json', 'graphs/b.json', 'graphs/bad.json']));
  });
});

describe('sides in git', () => {
  const diff = (...words: readonly string[]) => unetcJson<DiffDocument>('diff', ...words);

  test('a graph that the commit does not have is new; another path that it does not have is a mistake', async () => {
    repo.write('graphs/c.json', patched({ name: 'c' }));
    const found = await diff('git:main:graphs/c.json', 'graphs/c.json');
    expect(found).toMatchObject({
      exit: 0,
      a: { kind: 'none' },
      findings: [{ rule: 'graph/added', severity: 'info' }],
    });
    const { stdout } = await unetc('diff', 'git:main:graphs/c.json', 'graphs/c.json');
    expect(stdout).toContain('a new graph');
    expect(await diff('git:main:graphs/typo.json', 'graphs/c.json')).toMatchObject({
      exit: 3,
      error: { message: expect.stringContaining('main has no file or folder graphs/typo.json') },
    });
    repo.write('graphs/c.json', '{');
    expect(await diff('git:main:graphs/c.json', 'graphs/c.json')).toMatchObject({ exit: 3 });
  });

  test('from a subfolder a path begins at the top, and the message says how it is meant from here', async () => {
    process.chdir(`${repo.folder}/graphs`);
    expect(await diff('git:main:graphs/a.json', 'a.json')).toMatchObject({ exit: 0, findings: [] });
    expect(await diff('git:main:./a.json', 'a.json')).toMatchObject({ exit: 0, findings: [] });
    expect(await diff('git:main:a.json', 'a.json')).toMatchObject({
      exit: 3,
      error: { message: expect.stringContaining('from this folder it is git:main:./a.json') },
    });
    repo.write('graphs/c.json', patched({ name: 'c' }));
    expect(await diff('git:main:./c.json', 'c.json')).toMatchObject({
      exit: 0,
      findings: [{ rule: 'graph/added' }],
    });
  });

  test('a checkpoint that carries its graph is that graph, in git as in a folder', async () => {
    const carrying = (file: string, graph: object) => {
      const tensors = new Map([['a', { shape: [1], data: new Float32Array(1) }]]);
      writeFileSync(`${repo.folder}/${file}`, writeTensors(tensors, { [GRAPH_KEY]: JSON.stringify(graph) }));
    };
    carrying('m.safetensors', patched({ name: 'a' }));
    repo.commit('a checkpoint');
    carrying('m.safetensors', patched({ name: 'a', image_size: 32 }));
    const found = await diff('git:HEAD:m.safetensors', 'm.safetensors');
    expect(found).toMatchObject({ a: { kind: 'graph' }, b: { kind: 'graph' } });
    expect(found.findings.map(({ rule }) => rule)).toContain('interface/image-size');
  });

  test('outside of a repository it says so', async () => {
    mkdirSync(at('plain'));
    process.chdir(at('plain'));
    for (const words of [
      ['git:main:a.json', 'git:main:b.json'],
      ['--base', 'main'],
    ]) {
      const { stderr, exit } = await unetc('diff', ...words);
      expect(exit).toBe(words[0] === '--base' ? 2 : 3);
      expect(stderr).toMatch(/no (git repository|working tree)/);
    }
  });

  test('in a shallow clone it says which fetch to run, and the fetch mends it', async () => {
    repo.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    repo.commit('one');
    repo.commit('two');
    const clone = at('clone');
    repo.git('clone', '-q', '--depth=1', '--single-branch', '-b', 'work', `file://${repo.folder}`, clone);
    process.chdir(clone);
    const commandIn = (text: string) => /run: (git fetch [^\n"]*)/.exec(text)![1]!;
    const run = (command: string) => repo.git('-C', clone, ...command.split(' ').slice(1));

    const sides = ['git:origin/main:graphs/a.json', 'graphs/a.json'];
    const before = await diff(...sides);
    expect(before.exit).toBe(3);
    const fetch = commandIn(JSON.stringify(before.error));
    expect(fetch).toBe('git fetch --depth=1 origin +refs/heads/main:refs/remotes/origin/main');
    run(fetch);
    expect(await diff(...sides)).toMatchObject({ exit: 1, summary: { breaking: 4 } });

    const cut = await unetcJson<BaseDocument>('diff', '--base', 'origin/main');
    expect(cut.exit).toBe(2);
    const history = commandIn(JSON.stringify(cut.error));
    expect(history).toBe('git fetch --unshallow origin +refs/heads/main:refs/remotes/origin/main');
    run(history);
    expect(told(await unetcJson<BaseDocument>('diff', '--base', 'origin/main'))).toEqual([
      ['changed', 'graphs/a.json', 'graphs/a.json', 'weights/reinterpreted-heads'],
    ]);
    const hash = '0123456789abcdef0123456789abcdef01234567';
    expect((await unetc('diff', `git:${hash}:a.json`, 'graphs/a.json')).stderr).toContain(
      `git fetch origin ${hash}`,
    );
    expect((await unetc('diff', 'git:v1.0:a.json', 'graphs/a.json')).stderr).toContain(
      'git fetch origin tag v1.0',
    );
  });

  test('an index of shards is read with its shards; a pointer of Git LFS is told', async () => {
    const tensors = JSON.parse(readFileSync(`${here}/test/golden/tiny-film/state-dict.json`, 'utf8'));
    const names = Object.keys(tensors);
    const [first, second] = [names.slice(0, 20), names.slice(20)];
    repo.safetensors('w/one.safetensors', Object.fromEntries(first.map((name) => [name, tensors[name]])));
    repo.safetensors('w/two.safetensors', Object.fromEntries(second.map((name) => [name, tensors[name]])));
    const weight_map = Object.fromEntries(
      names.map((name) => [name, first.includes(name) ? 'one.safetensors' : 'two.safetensors']),
    );
    repo.write('w/model.safetensors.index.json', { weight_map });
    repo.write('w/lfs.safetensors', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n');
    repo.commit('weights');
    const side = 'git:HEAD:w/model.safetensors.index.json';
    expect(await diff(side, 'w/model.safetensors.index.json')).toMatchObject({
      ...{ exit: 0, findings: [], a: { kind: 'checkpoint' } },
    });
    process.chdir(`${repo.folder}/w`);
    expect(await diff('git:HEAD:./model.safetensors.index.json', side)).toMatchObject({
      exit: 0,
      findings: [],
    });
    rmSync('two.safetensors');
    expect(await diff(side, side)).toMatchObject({ exit: 0 });
    repo.commit('one shard less');
    expect(await diff(side, side)).toMatchObject({
      ...{
        exit: 4,
        error: { message: expect.stringContaining('git:HEAD:w/two.safetensors: HEAD has no file') },
      },
    });
    expect(await diff('git:HEAD:w/lfs.safetensors', side)).toMatchObject({
      ...{ exit: 4, error: { message: expect.stringContaining('git lfs smudge') } },
    });
  });
});
