// The program in process: words in, text out, the published exit codes back.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { CheckFailed, type Context, type Register } from '../../cli/context.ts';
import { Interrupted } from '../../cli/exit.ts';
import { ENVIRONMENT } from '../../cli/help.ts';
import { hostOf } from '../../cli/host.ts';
import { main } from '../../cli/main.ts';
import { runProgram } from '../../cli/program.ts';
import { GraphError, InternalError } from '../../compiler/diagnostics.ts';
import { UsageError } from '../../engine/errors.ts';
import { RuntimeError, type RuntimeErrorKind } from '../../runtime/errors.ts';
import { recordingContext } from '../recording-context.ts';

interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command `act` that does what the test wants. */
function acting(action: (context: Context, options: Record<string, unknown>) => unknown): Register {
  return (program, context) => {
    program
      .command('act')
      .argument('[file]')
      .option('--json', 'one JSON document')
      .option('--count <n>', 'a number', (text) => {
        if (!/^\d+$/.test(text)) throw new InvalidArgumentError('not a number');
        return Number(text);
      })
      .action(async (_file: string | undefined, options: Record<string, unknown>) => {
        await action(context, options);
      });
  };
}

async function run(
  argv: readonly string[],
  command: Register = acting(() => undefined),
  context: Partial<Context> = {},
): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const exit = await runProgram(
    argv,
    {
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      interactive: false,
      color: false,
      signal: new AbortController().signal,
      ...context,
    },
    [command],
  );
  return { exit, stdout, stderr };
}

const throwing = (error: unknown) =>
  acting(() => {
    throw error;
  });

const graphError = new GraphError(
  [
    {
      severity: 'error',
      code: 'G012',
      pointer: '/unet/num_heads',
      message: '96 channels do not divide into 5 heads',
    },
    { severity: 'warning', code: 'G020', pointer: '', message: 'never reached' },
  ],
  'graph.json',
);

describe('exit codes', () => {
  const kinds: [RuntimeErrorKind, number][] = [
    ['weights', 4],
    ['input', 5],
    ['bundle', 6],
    ['adapter', 7],
    ['gpu', 8],
    ['output', 9],
  ];
  test.each(kinds)('a runtime error of kind %s exits %i', async (kind, exit) => {
    const outcome = await run(['act'], throwing(new RuntimeError(kind, 'what happened')));
    expect(outcome).toEqual({ exit, stdout: '', stderr: 'error: what happened\n' });
  });

  test('done exits 0', async () => {
    const outcome = await run(
      ['act', 'x'],
      acting((context) => context.stdout('result\n')),
    );
    expect(outcome).toEqual({ exit: 0, stdout: 'result\n', stderr: '' });
  });

  test('a check that found something exits 1', async () => {
    const outcome = await run(['act'], throwing(new CheckFailed('2 changes')));
    expect(outcome).toEqual({ exit: 1, stdout: '', stderr: 'error: 2 changes\n' });
  });

  test('a bad graph exits 3 with one line a fault, in the words of diagnostics', async () => {
    const outcome = await run(['act'], throwing(graphError));
    expect(outcome.exit).toBe(3);
    expect(outcome.stderr).toBe(
      'error[G012] graph.json:/unet/num_heads: 96 channels do not divide into 5 heads\n' +
        'warning[G020] graph.json: never reached\n',
    );
  });

  test('a full disk that nobody foresaw exits 9', async () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    expect(await run(['act'], throwing(error))).toMatchObject({
      exit: 9,
      stderr: `error: ${error.message}\n`,
    });
  });

  test.each([
    new InternalError('slot 3 is used twice'),
    new TypeError('undefined is not a function'),
    'a string',
  ])('our own bug (%s) exits 70 and says what to report', async (error) => {
    const outcome = await run(['act'], throwing(error));
    expect(outcome.exit).toBe(70);
    expect(outcome.stderr).toContain(error instanceof Error ? error.message : error);
    expect(outcome.stderr).toContain('this is a bug in unetc');
    if (error instanceof Error) expect(outcome.stderr).toContain('program.test.ts');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s exits %i, whatever the command throws when it stops or does not', async (signal, exit) => {
    for (const stop of [
      () => undefined,
      () => Promise.reject(new RuntimeError('gpu', 'the way it stopped')),
    ]) {
      const controller = new AbortController();
      const command = acting(() => {
        controller.abort(new Interrupted(signal));
        return stop();
      });
      const outcome = await run(['act'], command, { signal: controller.signal });
      expect(outcome).toEqual({ exit, stdout: '', stderr: `interrupted by ${signal}\n` });
    }
  });
});

describe('words that are off exit 2', () => {
  test.each([
    [['atc'], "unknown command 'atc'\n(Did you mean act?)"],
    [['frobnicate'], "unknown command 'frobnicate'; the commands are act; unetc --help says what they do"],
    [['act', '--frobnicate'], "unknown option '--frobnicate'; unetc act --help lists the options"],
    [['act', '--jsn'], "unknown option '--jsn'\n(Did you mean --json?)"],
    [['act', '--count'], "option '--count <n>' argument missing"],
    [['act', '--count', 'x'], "option '--count <n>' argument 'x' is invalid. not a number"],
    [['act', 'a', 'b'], "too many arguments for 'act'. Expected 1 argument but got 2."],
  ])('%j', async (argv, message) => {
    const outcome = await run(argv);
    expect(outcome).toMatchObject({ exit: 2, stdout: '' });
    expect(outcome.stderr).toBe(`error: ${message}\n`);
  });

  test('a UsageError of the command itself', async () => {
    const outcome = await run(['act'], throwing(new UsageError('--class needs a model with classes')));
    expect(outcome).toEqual({ exit: 2, stdout: '', stderr: 'error: --class needs a model with classes\n' });
  });

  test('no command at all prints the help to stderr', async () => {
    const outcome = await run([]);
    expect(outcome).toMatchObject({ exit: 2, stdout: '' });
    expect(outcome.stderr).toMatch(/^Usage: unetc/);
    expect(outcome.stderr).not.toContain('error:');
  });
});

describe('help and version exit 0 on stdout', () => {
  test.each([['--help'], ['-h'], ['help']])('%s', async (word) => {
    const outcome = await run([word]);
    expect(outcome).toMatchObject({ exit: 0, stderr: '' });
    expect(outcome.stdout).toContain('Examples:');
    expect(outcome.stdout).toContain('act');
  });

  test('--version', async () => {
    expect(await run(['--version'])).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  test('a command has its own', async () => {
    const outcome = await run(['act', '--help']);
    expect(outcome).toMatchObject({ exit: 0, stderr: '' });
    expect(outcome.stdout).toContain('--count <n>');
  });
});

describe('--json prints exactly one document', () => {
  test('the result of a command', async () => {
    const outcome = await run(
      ['act', '--json'],
      acting((context) => context.stdout('{"a": 1}\n')),
    );
    expect(outcome).toEqual({ exit: 0, stdout: '{"a": 1}\n', stderr: '' });
  });

  test('the findings of a bad graph', async () => {
    const outcome = await run(['act', '--json'], throwing(graphError));
    expect(JSON.parse(outcome.stdout)).toEqual({
      error: {
        kind: 'graph',
        exit: 3,
        message: graphError.message,
        file: 'graph.json',
        diagnostics: graphError.diagnostics,
      },
    });
  });

  test.each([
    [['act', '--json', '--wrong'], 2, 'usage'],
    [['--json', 'act'], 2, 'usage'],
    [['nothing', '--json'], 2, 'usage'],
    [['--json'], 2, 'usage'],
  ])('also when the words are off: %j', async (argv, exit, kind) => {
    const outcome = await run(argv);
    expect(outcome.exit).toBe(exit);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ error: { kind, exit } });
  });

  test('a failure after the result joins it', async () => {
    const command = acting((context) => {
      context.stdout('{"changes": 2}\n');
      throw new CheckFailed('2 changes');
    });
    const outcome = await run(['act', '--json'], command);
    expect(JSON.parse(outcome.stdout)).toEqual({
      changes: 2,
      error: { kind: 'check', exit: 1, message: '2 changes' },
    });
  });

  test('a document that was cut short is not printed', async () => {
    const command = acting((context) => {
      context.stdout('{"changes": [');
      throw new RuntimeError('gpu', 'lost');
    });
    expect(JSON.parse((await run(['act', '--json'], command)).stdout)).toEqual({
      error: { kind: 'gpu', exit: 8, message: 'lost' },
    });
  });

  test('no stack in it, though our own bug prints one to stderr', async () => {
    const outcome = await run(['act', '--json'], throwing(new TypeError('oh')));
    expect(JSON.parse(outcome.stdout)).toEqual({
      error: { kind: 'internal', exit: 70, message: 'TypeError: oh' },
    });
    expect(outcome.stderr).toContain('at ');
  });

  test('--json after -- is an argument', async () => {
    const outcome = await run(['act', '--', '--json'], throwing(new UsageError('no')));
    expect(outcome.stdout).toBe('');
  });
});

describe('--progress json', () => {
  const lines = (text: string): readonly unknown[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);

  test.each([
    [['act', '--progress', 'json']],
    [['act', '--progress=json', '--count', 'x']],
    [['--progress', 'json', 'nothing']],
  ])('what is wrong with the words is an event: %j', async (argv) => {
    const { exit, stderr } = await run(argv);
    expect(exit).toBe(2);
    expect(lines(stderr)).toEqual([expect.objectContaining({ event: 'error', kind: 'usage', exit: 2 })]);
  });

  test('so are faults of graphs, bugs and interruptions, without colour', async () => {
    const words = ['act', '--', '--progress', 'json'];
    expect((await run(words, throwing(graphError), { color: true })).stderr.startsWith('\u001b')).toBe(true);
    const controller = new AbortController();
    const stopped = acting(() => controller.abort(new Interrupted('SIGTERM')));
    for (const [command, kind] of [
      [throwing(graphError), 'graph'],
      [throwing(new TypeError('oh')), 'internal'],
      [stopped, 'interrupted'],
    ] as const) {
      const context = { color: true, ...(command === stopped ? { signal: controller.signal } : {}) };
      const watched: Register = (program, inner) => {
        command(program, inner);
        program.commands[0]!.option('--progress <KIND>');
      };
      const { stderr } = await run(['act', '--progress', 'json'], watched, context);
      expect(lines(stderr)).toEqual([expect.objectContaining({ event: 'error', kind })]);
    }
  });

  test('and what the engine has to say', () => {
    const context = recordingContext();
    const host = hostOf(context, 'json');
    host.warn(graphError.diagnostics[1]!, 'graph.json');
    host.note('a note\nof two lines');
    host.stage('compiling');
    host.progress({ label: 'encoding', unit: 'steps', total: 1 }).update(1);
    expect(lines(context.printed.stderr)).toEqual([
      { event: 'warning', file: 'graph.json', code: 'G020', pointer: '', message: 'never reached' },
      { event: 'note', text: 'a note\nof two lines' },
      { event: 'stage', text: 'compiling' },
      { event: 'progress', label: 'encoding', unit: 'steps', done: 1, total: 1 },
    ]);
  });
});

describe('colour', () => {
  test('marks the word error, where it is wanted', async () => {
    const outcome = await run(['act'], throwing(graphError), { color: true });
    expect(outcome.stderr).toContain('\u001b[1;31merror[G012]\u001b[0m graph.json');
    expect((await run(['act'], throwing(graphError))).stderr).not.toContain('\u001b');
  });
});

describe('the commands of unetc', () => {
  const help = async (...argv: string[]) => {
    let stdout = '';
    const context: Context = {
      stdout: (text) => {
        stdout += text;
      },
      stderr: () => undefined,
      interactive: false,
      color: false,
      signal: new AbortController().signal,
    };
    return { exit: await main(argv, context), stdout };
  };

  test.each(['validate', 'expand', 'stats', 'compile', 'run', 'sample', 'doctor', 'export', 'demo'])(
    '%s has help',
    async (name) => {
      expect(await help(name, '--help')).toMatchObject({
        exit: 0,
        stdout: expect.stringContaining(`Usage: unetc ${name}`),
      });
    },
  );

  test('help lists the commands by what they are for, the environment, and documents that exist', async () => {
    const { stdout } = await help('--help');
    const headings = [...stdout.matchAll(/^[A-Z].*:$/gm)].map(([line]) => line);
    expect(headings).toEqual(
      expect.arrayContaining(['Graphs:', 'Running:', 'Checkpoints:', 'Measuring:', 'Environment:']),
    );
    const folder = /^Documents, in (.*):$/m.exec(stdout)![1]!;
    const files = [...stdout.matchAll(/^ {2}(\S+\.md) /gm)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(4);
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
    expect((await help('sample', '--help')).stdout).toContain(`More: ${folder}/docs/sampling.md`);
  });

  test('the README has every variable of the environment that help names', () => {
    const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
    expect(ENVIRONMENT.filter(([name]) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  test('--version is that of package.json', async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
    expect((await help('--version')).stdout).toBe(`${manifest.version}\n`);
  });
});
