// Completion as the shells themselves run it, where they are installed; bash everywhere.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { completionFor, SHELLS, type Shell } from '../../cli/completion/shells.ts';
import { completionTable } from '../../cli/completion/table.ts';
import { VALUES } from '../../cli/completion/values.ts';
import { commands } from '../../cli/main.ts';
import { recordingContext } from '../recording-context.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc } from '../unetc.ts';

const at = temporaryFolder();
const program = new Command('unetc');
for (const register of commands) register(program, recordingContext());
const table = completionTable(program.commands);

const isInstalled = (shell: string): boolean => spawnSync(shell, ['-c', ':']).status === 0;

/** What bash offers for the last of the words, in a folder with a graph and a folder. */
function offered(...words: readonly string[]): readonly string[] {
  fs.writeFileSync(at('mine graph.json'), '{}');
  fs.mkdirSync(at('models'), { recursive: true });
  fs.writeFileSync(at('c.bash'), completionFor('bash', table));
  const script = `cd "$1"; . ./c.bash; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); COMPREPLY=(); _unetc; for w in "\${COMPREPLY[@]}"; do echo "$w"; done`;
  const run = spawnSync('bash', ['--norc', '-uc', script, 'bash', at(), 'unetc', ...words], {
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  return run.stdout.split('\n').filter((line) => line !== '');
}

describe.runIf(isInstalled('bash'))('bash', () => {
  test('commands', () => {
    expect(offered('sam')).toEqual(['sample']);
    expect(offered('')).toEqual(table.map(({ name }) => name));
  });

  test('options of a command, as it takes them', () => {
    expect(offered('sample', '--s')).toEqual([
      '--seeds',
      '--sampler',
      '--steps',
      '--shard',
      '--size',
      '--strict',
    ]);
    expect(offered('merge', '-')).toEqual(['-o', '--output', '--seeds', '--json', '-h', '--help']);
    expect(offered('frob', '-')).toEqual([]);
  });

  test('values: of a fixed choice, files, folders, and none for a number', () => {
    expect(offered('compile', 'g.json', '--precision', '')).toEqual(['f32', 'f16']);
    expect(offered('sample', '--format', 's')).toEqual(['safetensors']);
    expect(offered('diff', '--format', 's')).toEqual(['sarif']);
    expect(offered('sample', '--format', '=', 'np')).toEqual(['npz', 'npy']);
    expect(offered('sample', '--format', '=')).toContain('png');
    expect(offered('sample', '--weights', 'm').toSorted()).toEqual(['mine graph.json', 'models']);
    expect(offered('compile', '-o', 'm')).toEqual(['models']);
    expect(offered('sample', '--batch', '')).toEqual([]);
    expect(offered('completion', '')).toEqual([...SHELLS]);
  });

  test('arguments are files', () => {
    expect(offered('validate', 'mi')).toEqual(['mine graph.json']);
  });
});

test.each(SHELLS)('%s: what unetc completion prints names every command and option', async (shell) => {
  const { exit, stdout } = await unetc('completion', shell);
  expect(exit).toBe(0);
  expect(stdout).toBe(completionFor(shell, table));
  for (const { name, options } of table) {
    expect(stdout).toContain(name);
    for (const { names } of options)
      expect(stdout, `${name} ${names}`).toContain(shell === 'fish' ? names.at(-1)!.slice(2) : names.at(-1)!);
  }
  expect(stdout).not.toMatch(/--out\b/);
});

describe.each<[Shell, readonly string[]]>([
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
])('%s', (shell, check) => {
  test.runIf(isInstalled(shell))('is a program of that shell', () => {
    fs.writeFileSync(at(`c.${shell}`), completionFor(shell, table));
    expect(spawnSync(shell, [...check, at(`c.${shell}`)], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});

test('another shell is refused with those that there are', async () => {
  expect(await unetc('completion', 'csh')).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('bash, zsh, fish'),
  });
});

test('every choice is of an option that there is', () => {
  const known = table.flatMap(({ name, options }) =>
    options.flatMap(({ names }) => names.flatMap((one) => [one, `${name} ${one}`])),
  );
  expect(Object.keys(VALUES).filter((key) => !known.includes(key))).toEqual([]);
});
