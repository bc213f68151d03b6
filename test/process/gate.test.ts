// The workflow for pull requests as it is shipped: its own steps, taken from its file and run by bash, on a made-up
// repository with branches, cloned as the runner clones it. Needs the build, and npm for the installation.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { patched } from '../fixtures/diff-sides.ts';
import { GIT_ENV, repository } from '../fixtures/repository.ts';
import { stepsOf } from '../fixtures/workflow.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const at = temporaryFolder();
const workflow = new URL('../../.github/workflows/graph-diff.yml', import.meta.url);
const text = readFileSync(workflow, 'utf8');
const steps = stepsOf(workflow);
const BREAKING = { unet: { num_heads: 4 } };

let origin: ReturnType<typeof repository>;
beforeEach(() => {
  origin = repository(at('origin'));
  origin.write('graphs/a.json', patched({ name: 'a' }));
  origin.write('graphs/b.json', patched({ name: 'b', image_size: 32 }));
  origin.write('graphs/schema.json', { $schema: 'http://json-schema.org/draft-07/schema#' });
  writeInstall();
  origin.commit('main');
  origin.git('checkout', '-qb', 'work');
});

/** A folder to install from: a package called unetc that starts the build, and a lock file that has its hash. */
function writeInstall(integrity?: string): void {
  mkdirSync(at('pack/package'), { recursive: true });
  writeFileSync(
    at('pack/package/package.json'),
    '{ "name": "unetc", "version": "9.9.9", "type": "module", "bin": { "unetc": "unetc.mjs" } }',
  );
  const program = JSON.stringify(path.join(root, 'cli', 'unetc.mjs'));
  writeFileSync(at('pack/package/unetc.mjs'), `#!/usr/bin/env node\nawait import(${program});\n`);
  execFileSync('tar', ['-czf', 'unetc-9.9.9.tgz', 'package'], { cwd: at('pack') });
  const tarball = readFileSync(at('pack/unetc-9.9.9.tgz'));
  const dependencies = { unetc: 'file:unetc-9.9.9.tgz' };
  const hash = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const unetc = { version: '9.9.9', resolved: dependencies.unetc, integrity: integrity ?? hash };
  const bin = { unetc: 'unetc.mjs' };
  origin.write('.github/unetc/unetc-9.9.9.tgz', tarball);
  origin.write('.github/unetc/package.json', { private: true, dependencies });
  origin.write('.github/unetc/package-lock.json', {
    ...{ lockfileVersion: 3, requires: true },
    packages: { '': { dependencies }, 'node_modules/unetc': { ...unetc, bin } },
  });
}

interface Inputs {
  readonly install?: string;
  readonly graphs?: string;
  readonly accept?: string;
  readonly train?: string;
  readonly reports?: boolean;
  /** How much of the history is cloned. */
  readonly depth?: number;
  /** What the event calls the base, that of main where it is not given. */
  readonly base?: string;
}

/** What the event and the inputs of the caller make of an expression of the file. */
function expression(value: string, given: Inputs): string {
  const { install = '.github/unetc', graphs, accept = '', train = '' } = given;
  const inputs: Readonly<Record<string, string>> = {
    '${{ inputs.install }}': install,
    '${{ inputs.graphs }}': graphs ?? 'graphs/*.json',
    '${{ inputs.fail-on }}': 'breaking',
    '${{ inputs.accept }}': accept,
    '${{ inputs.train }}': train,
  };
  expect(Object.keys(inputs)).toContain(value);
  return inputs[value]!;
}

/** Runs the workflow on the branch as it is; the steps behind one that fails do not run. */
function gate(inputs: Inputs = {}) {
  const clone = at('clone');
  rmSync(clone, { recursive: true, force: true });
  const depth = inputs.depth === undefined ? [] : [`--depth=${inputs.depth}`];
  execFileSync('git', ['clone', '-q', '-b', 'work', ...depth, `file://${origin.folder}`, clone], {
    env: GIT_ENV,
  });
  rmSync(at('runner'), { recursive: true, force: true });
  mkdirSync(at('runner'));
  const files = { GITHUB_ENV: at('runner/env'), GITHUB_STEP_SUMMARY: at('runner/summary') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const job = {
    EVENT_BASE: inputs.base ?? origin.git('rev-parse', 'main').trim(),
    DEFAULT_BRANCH: 'main',
    RUNNER_TEMP: at('runner'),
    npm_config_cache: at('npm'),
    ...files,
  };
  let printed = '';
  const ran: string[] = [];
  const result = (exit: number) => ({
    ...{ exit, printed, ran },
    summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'),
  });
  for (const { name, env, script } of steps) {
    if (name === 'Reports' && !inputs.reports) continue;
    const set = readFileSync(files.GITHUB_ENV, 'utf8').split('\n').filter(Boolean);
    const before = Object.fromEntries(set.map((line) => line.split('=', 2)));
    const own = Object.fromEntries(
      Object.entries(env).map(([key, value]) => [key, expression(value, inputs)]),
    );
    // as the runner calls a script whose shell is bash
    const words = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script];
    const { status, stdout, stderr } = spawnSync('bash', words, {
      ...{ cwd: clone, encoding: 'utf8', env: { ...GIT_ENV, ...job, ...before, ...own } },
    });
    ran.push(name);
    printed += stdout + stderr;
    if (status !== 0) return result(status ?? -1);
  }
  return result(0);
}

test('the file has the steps that are run here, all of its actions are pinned, and nothing is fetched by a name', () => {
  expect(steps.map(({ name }) => name)).toEqual(['Base', 'Install', 'Every graph that changed', 'Reports']);
  const uses = [...text.matchAll(/^ *- uses: (.*)$/gm)].map(([, action]) => action);
  expect(uses).toHaveLength(2);
  for (const action of uses) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d/);
  expect(text).not.toMatch(/npx|npm (install|i|exec) /);
  expect(text.match(/npm ci/g)?.length).toBeGreaterThan(0);
});

describe('a pull request that', () => {
  test('changes no graph passes', () => {
    origin.write('README.md', 'x');
    origin.commit('work');
    const { exit, printed, summary, ran } = gate();
    expect([exit, printed.includes('no graph differs')]).toEqual([0, true]);
    expect(summary).toContain('no graph differs');
    expect(ran).toEqual(['Base', 'Install', 'Every graph that changed']);
  });

  test('changes a graph in place is annotated at the line that decides it, and fails', () => {
    origin.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    origin.commit('work');
    const { exit, printed, summary } = gate();
    expect(exit, printed).toBe(1);
    expect(printed).toMatch(
      /^::error file=graphs\/a\.json,line=\d+,col=\d+,title=unetc weights\/reinterpreted-heads::/m,
    );
    expect(summary).toContain('weights/reinterpreted-heads');
  });

  test('renames a graph and changes it fails by what changed', () => {
    renameSync(path.join(origin.folder, 'graphs/a.json'), path.join(origin.folder, 'graphs/c.json'));
    origin.write('graphs/c.json', patched({ name: 'a', ...BREAKING }));
    origin.commit('work');
    const { exit, printed } = gate();
    expect(exit, printed).toBe(1);
    expect(printed).toMatch(/^::error file=graphs\/c\.json,.*weights\/reinterpreted-heads::/m);
    expect(printed).toMatch(/^::warning file=graphs\/c\.json,title=unetc graph\/renamed::/m);
  });

  test('deletes a graph fails', () => {
    rmSync(path.join(origin.folder, 'graphs/a.json'));
    origin.commit('work');
    const { exit, printed } = gate();
    expect(exit, printed).toBe(1);
    expect(printed).toMatch(/^::error title=unetc graph\/removed::graphs\/a\.json/m);
  });

  test('adds a graph passes, and it is reported as new', () => {
    origin.write('graphs/c.json', patched({ name: 'c', image_size: 64 }));
    origin.commit('work');
    const { exit, printed, summary } = gate();
    expect(exit, printed).toBe(0);
    expect(printed).toMatch(/^::notice file=graphs\/c\.json,title=unetc graph\/added::/m);
    expect(summary).toContain('a new graph');
  });

  test('adds a bad graph fails with its faults, and the others are told all the same', () => {
    origin.write('graphs/bad.json', patched({ unet: { num_heads: 5 } }));
    origin.write('graphs/a.json', patched({ name: 'a', unet: { dropout: 0.1 } }));
    origin.commit('work');
    const { exit, printed, summary } = gate();
    expect(exit, printed).toBe(3);
    expect(printed).toMatch(/^::error file=graphs\/bad\.json,line=\d+,col=\d+,title=unetc G012::/m);
    expect(printed).toMatch(/^::notice file=graphs\/a\.json,.*numerics\/dropout::/m);
    expect(summary).toContain('`graphs/bad.json` is no valid graph');
  });

  test('changes accepted findings beside its graphs is judged by them, and they are no graph', () => {
    origin.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    origin.write('graphs/b.json', patched({ name: 'b', image_size: 32, ...BREAKING }));
    const unetc = (...words: readonly string[]) =>
      spawnSync(process.execPath, [path.join(root, 'cli/unetc.mjs'), ...words], {
        cwd: origin.folder,
        env: GIT_ENV,
      });
    const words = ['git:main:graphs/a.json', 'graphs/a.json', '--write-accepted', 'graphs/accepted.json'];
    expect(unetc('diff', ...words).status).toBe(0);
    origin.commit('one accepted');
    const one = gate({ accept: 'graphs/accepted.json' });
    expect(one.exit, one.printed).toBe(1);
    expect(one.printed).not.toMatch(/^::error file=graphs\/a\.json/m);
    expect(one.printed).toContain('graphs/accepted.json was left out: it is accepted findings');
    unetc('diff', '--base', 'main', '--accept', 'graphs/accepted.json', '--write-accepted');
    origin.commit('both accepted');
    const both = gate({ accept: 'graphs/accepted.json' });
    expect(both.exit, both.printed).toBe(0);
  });

  test('leaves a report stale fails where reports are checked', () => {
    const { exit, printed, ran } = gate({ reports: true });
    expect([exit, ran.at(-1)]).toEqual([123, 'Reports']);
    expect(printed).toContain('graphs/a.report.txt: missing');
    expect(printed).toContain('graphs/schema.json is left out: it is a JSON schema');
  });

  test('is cloned without its history fails with what to do', () => {
    origin.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    origin.commit('work');
    const { exit, printed } = gate({ depth: 1 });
    expect(exit).toBe(2);
    expect(printed).toContain('check out with fetch-depth: 0');
  });
});

test('the first push of a branch is compared with the default branch', () => {
  origin.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
  origin.commit('work');
  const { exit, printed } = gate({ base: '0'.repeat(40) });
  expect(exit, printed).toBe(1);
  expect(printed).toContain('1 graph differs from origin/main');
});

test('a branch may compare steps of training, too', () => {
  origin.write('graphs/a.json', patched({ name: 'a', budgets: { params: 1 } }));
  origin.commit('work');
  const { printed, summary } = gate({ train: '--batch 2 --memory 1GB' });
  expect(printed).toContain('title=unetc training/folder');
  expect(summary).toContain('| a step of training, 2 samples at once | before | after | |');
});

describe('the installation', () => {
  test('is off unless a folder is named', () => {
    expect(/^ {6}install:\n(?: {8}.*\n)+/m.exec(text)![0]).toContain("default: ''");
    const { exit, printed, ran } = gate({ install: '' });
    expect([exit, ran.at(-1)]).toEqual([2, 'Install']);
    expect(printed).toContain('::error title=graph-diff::nothing is installed');
    expect(gate({ install: 'graphs' })).toMatchObject({ exit: 2 });
  });

  test('refuses a tarball whose bytes are not those of the lock file', () => {
    writeInstall(`sha512-${createHash('sha512').update('other').digest('base64')}`);
    origin.git('branch', '-f', 'main', origin.commit('work'));
    const { exit, printed, ran } = gate();
    expect(exit).not.toBe(0);
    expect(ran.at(-1)).toBe('Install');
    expect(printed).toContain('EINTEGRITY');
  });

  test('refuses a lock file without hashes', () => {
    writeInstall('');
    origin.git('branch', '-f', 'main', origin.commit('work'));
    const { exit, printed } = gate();
    expect(exit).toBe(2);
    expect(printed).toContain('no sha512 of node_modules/unetc');
  });

  test('is that of the base, whatever the pull request makes of it', () => {
    writeInstall('');
    origin.write('graphs/a.json', patched({ name: 'a', ...BREAKING }));
    origin.commit('work');
    const { exit, printed } = gate();
    expect(exit, printed).toBe(1);
    expect(printed).toContain('reinterpreted-heads');
    expect(existsSync(at('runner/unetc/node_modules/unetc/package.json'))).toBe(true);
  });
});

test('the example of docs/diff.md calls the workflow by inputs that it has', () => {
  const docs = readFileSync(path.join(root, 'docs/diff.md'), 'utf8');
  const called =
    /uses: OWNER\/unetc\/\.github\/workflows\/graph-diff\.yml@.*\n {4}with:\n((?: {6}.*\n)+)/.exec(docs)![1]!;
  const given = [...called.matchAll(/^ {6}([\w-]+):/gm)].map(([, name]) => name);
  const inputs = [...text.matchAll(/^ {6}([\w-]+):\n {8}description:/gm)].map(([, name]) => name);
  expect(given.length).toBeGreaterThan(2);
  expect(inputs).toEqual(expect.arrayContaining(given));
});
