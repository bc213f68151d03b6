// The words of the command line as a shell gives them: one spelling for output, JSON lines that are JSON, completion in
// bash by the program that is installed. Needs the build; on the reference executor, without a GPU.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const main = path.join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

/** Runs a line of bash in which `unetc` is the build, in the temporary folder. */
function bash(line: string): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  fs.writeFileSync(at('small.json'), SMALL_GRAPH);
  const script = `unetc() { "${process.execPath}" "${main}" "$@"; }; cd "${at()}"; ${line}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const SAMPLE = 'unetc sample small.json --weights hash:1 --reference --seeds 0 --steps ddim2';

test.each(['-o out', '--output out', '--out out', '--out=out', '-oout'])(
  'sample %s writes there',
  (words) => {
    expect(bash(`${SAMPLE} --quiet ${words}`)).toMatchObject({ status: 0 });
    expect(fs.existsSync(at('out/000000.png'))).toBe(true);
  },
);

test.each([
  ['a run', `${SAMPLE} -o out`, 0],
  ['a label too many', `${SAMPLE} --class 3 -o out`, 5],
  ['a graph that is missing', 'unetc sample none.json --weights hash:1 --seeds 0 -o out', 3],
  ['a graph with warnings', `sed -i s/\\\\[\\\\]/[4]/ small.json; ${SAMPLE} -o out`, 0],
  ['a word that is none', `${SAMPLE} -o out --stpes 3`, 2],
  ['no place to write to', SAMPLE, 2],
])('with --progress json all of stderr is JSON: %s', (_, line, status) => {
  const run = bash(`${line} --progress json 2>&1 >file`);
  expect(run.status).toBe(status);
  const events = run.stdout
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => (JSON.parse(text) as { event: string }).event);
  expect(events.length).toBeGreaterThan(0);
  expect(events.includes('error')).toBe(status !== 0);
});

test('inputs makes what run takes', () => {
  const words = '--weights hash:1 --reference --inputs in.safetensors';
  const run = bash(
    `unetc inputs small.json -o in.safetensors && unetc run small.json ${words} -o out.safetensors`,
  );
  expect(run).toMatchObject({ status: 0, stderr: '' });
  expect(run.stdout).toMatch(/^in\.safetensors: x \[1, 1, 8, 8\], timesteps \[1\]\nout\.safetensors: output/);
});

test('bash completes what the build prints for it', () => {
  const run = bash(
    'eval "$(unetc completion bash)"; COMP_WORDS=(unetc sample --form); COMP_CWORD=2; _unetc; echo "$COMPREPLY"',
  );
  expect(run).toEqual({ status: 0, stdout: '--format\n', stderr: '' });
});

test('a command that is none is told those that there are', () => {
  const { status, stderr } = bash('unetc frob');
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /^error: unknown command 'frob'; the commands are validate, .*sample.*; unetc --help/,
  );
});
