// The set-up's look for a browser, on made-up systems: what it calls is played, and nothing is ever installed.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const script = join(import.meta.dirname, '../../.ci/browser.sh');

function command(name: string, body: string): void {
  writeFileSync(at('bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

beforeEach(() => {
  mkdirSync(at('bin'));
  mkdirSync(at('etc'));
  for (const name of ['cat', 'chmod', 'cp', 'mktemp', 'rm', 'sh', 'tail']) {
    const found = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find(existsSync);
    symlinkSync(found!, at('bin', name));
  }
  system('debian');
  command('id', 'echo 0');
  command('apt-get', `echo "$*" >>"${at('log')}"\ncp "${at('bin', 'id')}" "${at('bin', 'chromium')}"`);
});

function system(id: string): void {
  writeFileSync(at('etc', 'os-release'), `ID=${id}\n`);
}

function run(env: Readonly<Record<string, string>> = { CI: 'true' }) {
  const { status, stdout, stderr } = spawnSync('sh', [script], {
    encoding: 'utf8',
    env: { PATH: at('bin'), UNETC_SETUP_ROOT: at(), ...env },
  });
  return { status, stdout, stderr, calls: existsSync(at('log')) ? readFileSync(at('log'), 'utf8') : '' };
}

const LEFT_OUT = 'set-up: there is no Chromium or Chrome: tests of pages in a browser are left out\n';

test('as root on Debian in continuous integration it is installed once', () => {
  const first = run();
  expect(first).toMatchObject({ status: 0, stdout: '' });
  expect(first.stderr).toBe('set-up: installing chromium for the tests of pages, 113 MB\n');
  expect(first.calls).toMatch(/ update\n.* install -y --no-install-recommends chromium\n$/);
  expect(run()).toEqual({ status: 0, stdout: '', stderr: '', calls: first.calls });
});

test.each([
  ['nobody says that it is continuous integration', () => {}, {}],
  ['another system', () => system('ubuntu'), { CI: 'true' }],
  ['not as root', () => command('id', 'echo 1000'), { CI: 'true' }],
])('%s: nothing is installed, and it is said', (_, change, env: Readonly<Record<string, string>>) => {
  change();
  expect(run(env)).toEqual({ status: 0, stdout: '', stderr: LEFT_OUT, calls: '' });
});

test('a package that does not come leaves tests out, with the words of apt-get', () => {
  command('apt-get', 'echo "E: no network"\nexit 100');
  const { status, stderr } = run();
  expect(status).toBe(0);
  expect(stderr).toContain('E: no network\nset-up: apt-get failed');
});
