// The set-up does what is missing and nothing else: on a copy of its scripts, with npm, tsc and rolldown played.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'unetc-clone-'));
  for (const name of ['cli/setup.sh', 'cli/setup'])
    cpSync(join(root, name), join(clone, name), { recursive: true });
  for (const name of [
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'rolldown.config.mjs',
    'cli/main.ts',
    'engine/a.ts',
    'runtime/a.ts',
    'web/a.ts',
  ]) {
    write(name, '');
  }
  write('compiler/codegen/kernels/conv.wgsl', '// a kernel\n');
  const log = `echo "$(basename "$0") $*" >>"${clone}/log"`;
  script('bin/node', 'echo "$FAKE_NODE"');
  script(
    'bin/tsc',
    `${log}\n[ -z "\${FAIL_TSC:-}" ] || exit 2\nmkdir -p "$4/cli" && echo types >"$4/cli/main.d.ts"`,
  );
  // It runs beside tsc, and where that fails it is not done yet.
  script(
    'bin/rolldown',
    `${log}
[ -z "\${FAIL_ROLLDOWN:-}" ] || exit 2
[ -z "\${FAIL_TSC:-}" ] || sleep 0.3
mkdir -p "$4/cli" && echo built >"$4/cli/main.js"`,
  );
  script(
    'bin/npm',
    `${log}
if [ -n "\${FAIL_NPM:-}" ]; then exit 1; fi
mkdir -p node_modules/.bin node_modules/typescript
cp bin/tsc bin/rolldown node_modules/.bin/
touch node_modules/.package-lock.json`,
  );
  // Written long ago, as after a clone that was built.
  age(
    [
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'rolldown.config.mjs',
      'cli',
      'compiler',
      'engine',
      'runtime',
      'web',
    ],
    1000,
  );
});
afterEach(() => rmSync(clone, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), text);
}

function script(path: string, body: string): void {
  write(path, `#!/bin/sh\n${body}\n`);
  chmodSync(join(clone, path), 0o755);
}

/** Makes files, and all that is in folders, older by some seconds. */
function age(paths: readonly string[], seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  const listed = spawnSync('find', [...paths], { cwd: clone, encoding: 'utf8' })
    .stdout.trim()
    .split('\n');
  for (const path of listed) utimesSync(join(clone, path), then, then);
}

/** What a build calls. */
const BUILD = ['rolldown -c', 'tsc -p'];

/** Runs the set-up; what it called is `calls`, by name: a build calls two at once. */
function setUp(env: Record<string, string> = {}) {
  rmSync(join(clone, 'log'), { force: true });
  const { status, stderr } = spawnSync('sh', ['cli/setup.sh'], {
    cwd: clone,
    encoding: 'utf8',
    // Where the system is no Linux, the driver is no matter.
    env: {
      PATH: `${clone}/bin:${process.env.PATH}`,
      UNETC_SETUP_UNAME: 'Darwin',
      FAKE_NODE: 'v20.19.0',
      ...env,
    },
  });
  const log = existsSync(join(clone, 'log'))
    ? readFileSync(join(clone, 'log'), 'utf8').trim().split('\n')
    : [];
  return { status, stderr, calls: log.map((line) => line.split(' ', 2).join(' ')).sort() };
}

test('a fresh clone gets its packages and is built; a second run does nothing', () => {
  expect(setUp()).toMatchObject({ status: 0, calls: ['npm ci', ...BUILD] });
  expect(readFileSync(join(clone, 'dist/cli/main.js'), 'utf8')).toBe('built\n');
  expect(readFileSync(join(clone, 'dist/cli/main.d.ts'), 'utf8')).toBe('types\n');
  expect(readFileSync(join(clone, 'dist/compiler/codegen/kernels/conv.wgsl'), 'utf8')).toBe('// a kernel\n');
  expect(existsSync(join(clone, 'dist/cli/setup/driver.sh'))).toBe(true);
  expect(setUp()).toEqual({ status: 0, stderr: '', calls: [] });
});

test.each([
  ['a source was edited', () => write('runtime/a.ts', 'edited')],
  ['a kernel was edited', () => write('compiler/codegen/kernels/conv.wgsl', 'edited')],
  ['what is bundled changed', () => write('rolldown.config.mjs', 'edited')],
  ['a source was deleted', () => rmSync(join(clone, 'runtime/a.ts'))],
  ['the build is gone', () => rmSync(join(clone, 'dist'), { recursive: true })],
])('%s: it builds again', (_, change) => {
  setUp();
  age(['dist/.stamp'], 10);
  change();
  expect(setUp()).toMatchObject({ status: 0, calls: BUILD });
});

test.each([
  ['the lock file changed', () => write('package-lock.json', '{}')],
  ['an installation was cut short', () => rmSync(join(clone, 'node_modules/.package-lock.json'))],
  [
    'the tools of development are missing',
    () => rmSync(join(clone, 'node_modules/typescript'), { recursive: true }),
  ],
])('%s: it installs again', (_, change) => {
  setUp();
  age(['node_modules/.package-lock.json', 'dist/.stamp'], 10);
  change();
  expect(setUp().calls[0]).toBe('npm ci');
});

test('npm is tried twice, and its failure is told', () => {
  const { status, stderr, calls } = setUp({ FAIL_NPM: '1' });
  expect({ status, calls }).toEqual({ status: 1, calls: ['npm ci', 'npm ci'] });
  expect(stderr).toContain('npm ci failed twice');
});

test.each(['FAIL_TSC', 'FAIL_ROLLDOWN'])(
  'a build that fails (%s) leaves the old one and nothing else',
  (fail) => {
    setUp();
    age(['dist/.stamp'], 10);
    write('runtime/a.ts', 'edited');
    expect(setUp({ [fail]: '1' })).toMatchObject({ status: 1 });
    expect(readFileSync(join(clone, 'dist/cli/main.js'), 'utf8')).toBe('built\n');
    const left = spawnSync('sh', ['-c', 'ls -d dist* out*'], { cwd: clone, encoding: 'utf8' }).stdout;
    expect(left).toBe('dist\n');
    // The edit is not forgotten.
    expect(setUp().calls).toEqual(BUILD);
  },
);

test.each([
  ['v18.20.4', 1],
  ['v20.18.1', 1],
  ['v20.19.0', 0],
  ['v22.1.0', 0],
  ['v100.0.0', 0],
])('Node %s exits %i', (version, status) => {
  const found = setUp({ FAKE_NODE: version });
  expect(found.status).toBe(status);
  if (status === 1)
    expect(found.stderr).toContain(`Node.js ${version} is too old; install version 20.19 or newer`);
});

test('a system without a driver is told before any package is fetched', () => {
  const system = join(clone, 'system');
  mkdirSync(system);
  const found = setUp({ UNETC_SETUP_UNAME: 'Linux', UNETC_SETUP_ROOT: system, UNETC_SETUP_UID: '1000' });
  expect(found).toMatchObject({ status: 7, calls: [] });
});
