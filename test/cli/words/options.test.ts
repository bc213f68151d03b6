// One language of options: a word means the same wherever it may be given, and where it makes sense it may be.

import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commands } from '../../../cli/main.ts';
import { COMPILE_OPTIONS, MODEL_OPTIONS, WEIGHT_OPTIONS } from '../../../cli/words/options.ts';
import { recordingContext } from '../../recording-context.ts';

/** Every command as it registers itself. */
function registered(): readonly Command[] {
  const program = new Command('unetc');
  for (const register of commands) register(program, recordingContext());
  return program.commands;
}

function named(name: string): Command {
  return registered().find((command) => command.name() === name)!;
}

/** Names of a command's options, as the words of a call have them. */
function optionsOf(name: string): readonly string[] {
  return named(name).options.map((option) => option.attributeName());
}

/** The words that a call's options come to, or the message that refuses them. */
function parsed(name: string, ...words: readonly string[]): Record<string, unknown> | string {
  const command = named(name)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const option of command.options) option.mandatory = false;
  command.action(() => undefined);
  try {
    const given = command.registeredArguments.map(() => 'x');
    return command.parse([...given, ...words], { from: 'user' }).opts();
  } catch (error) {
    return (error as Error).message;
  }
}

const writing = registered()
  .filter((command) => command.options.some(({ long }) => long === '--output'))
  .map((command) => command.name());

describe('where a command writes to', () => {
  test('is said by these commands', () => {
    expect(writing).toEqual(
      expect.arrayContaining(['expand', 'graph', 'compile', 'run', 'sample', 'encode', 'merge', 'export']),
    );
    expect(writing).toEqual(expect.arrayContaining(['convert', 'infer', 'bench', 'tune']));
  });

  test.each(writing)('%s takes -o, --output and --out alike', (name) => {
    for (const words of [
      ['-o', 'P'],
      ['-oP'],
      ['--output', 'P'],
      ['--output=P'],
      ['--out', 'P'],
      ['--out=P'],
    ])
      expect(parsed(name, ...words), words.join(' ')).toMatchObject({ output: 'P' });
    expect(named(name).helpInformation()).toMatch(/-o, --output </);
    expect(named(name).helpInformation()).not.toMatch(/--out\b/);
  });
});

describe('how a model is opened', () => {
  test.each(['run', 'sample', 'encode', 'evaluate', 'drift', 'bench', 'profile'])(
    '%s takes all that there is',
    (name) => {
      expect(optionsOf(name)).toEqual(expect.arrayContaining([...MODEL_OPTIONS]));
    },
  );

  test.each(['compile', 'stats'])('%s takes what is compiled', (name) => {
    expect(optionsOf(name)).toEqual(expect.arrayContaining([...COMPILE_OPTIONS]));
  });

  test('whatever takes weights takes how they are read', () => {
    const open = registered().filter((command) => optionsOf(command.name()).includes('weights'));
    expect(open.length).toBeGreaterThan(7);
    for (const command of open)
      expect(optionsOf(command.name()), command.name()).toEqual(expect.arrayContaining([...WEIGHT_OPTIONS]));
  });
});

test('an option is written alike in all commands', () => {
  const flags = new Map<string, string>();
  for (const { options } of registered()) {
    for (const { long, flags: own } of options) {
      if (long === '--output') continue;
      expect(own, own).toBe(flags.get(long!) ?? own);
      flags.set(long!, own);
    }
  }
});

test('rename maps are written by one name and read by another', () => {
  const writers = registered().filter((command) => optionsOf(command.name()).includes('writeRenameMap'));
  expect(writers.map((command) => command.name())).toEqual(['diff']);
  expect(optionsOf('diff')).not.toContain('renameMap');
  for (const words of [
    ['--write-rename-map', 'map.json'],
    ['--rename-map', 'map.json'],
  ])
    expect(parsed('diff', ...words)).toMatchObject({ writeRenameMap: 'map.json' });
});

test('help lists options under headings, those of the call itself first', () => {
  const help = named('sample').helpInformation();
  const headings = [...help.matchAll(/^[A-Z].*:$/gm)].map(([line]) => line);
  expect(headings).toEqual([
    'Arguments:',
    'Inputs:',
    'Sampling:',
    'Output:',
    'Weights:',
    'How the model is compiled:',
    'How it is run:',
    'Options:',
  ]);
});
