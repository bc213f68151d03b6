// The program as a function: words in, text out, an exit code back. The process itself is cli/process.ts.

import { Command, CommanderError } from 'commander';
import { packageVersion } from '../engine/package.ts';
import type { Context, Register } from './context.ts';
import { wantsEvents } from './events.ts';
import { describeFailure, type Failure, toldFailure } from './exit.ts';
import { helpOfCommand, helpOfProgram } from './help.ts';

/**
 * Runs one command and returns its exit code; never throws.
 *
 * `argv` are the words after `unetc`. With `--json` exactly one document reaches `context.stdout`: the command's
 * result, and with a failure also `"error": {kind, exit, message, diagnostics?}`. With `--progress json` all that reaches
 * `context.stderr` is JSON, a document a line.
 */
export async function runProgram(
  argv: readonly string[],
  context: Context,
  commands: readonly Register[],
): Promise<number> {
  const json = wantsJson(argv);
  const events = wantsEvents(argv);
  // Held back until the end: a failure after the document adds its `error` to it.
  let held = '';
  const inner: Context = json
    ? {
        ...context,
        stdout: (text) => {
          held += text;
        },
      }
    : context;
  let program: Command | null = null;
  try {
    program = buildProgram(inner, commands);
    await program.parseAsync([...argv], { from: 'user' });
    context.signal.throwIfAborted();
    if (held) context.stdout(held);
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) {
      if (held) context.stdout(held);
      return 0;
    }
    // What a command throws after a signal is only the way it stopped.
    const found = context.signal.aborted
      ? describeFailure(context.signal.reason)
      : advised(describeFailure(thrown), thrown, argv, program);
    if (!isSilent(thrown)) context.stderr(told(context, found, events));
    if (json) {
      const { stack: _, ...error } = found;
      context.stdout(`${JSON.stringify({ ...parseObject(held), error }, null, 2)}\n`);
    }
    return found.exit;
  }
}

function told(context: Context, found: Failure, events: boolean): string {
  const text = toldFailure(found, events);
  return events ? text : colored(context, text);
}

function buildProgram(context: Context, commands: readonly Register[]): Command {
  const program = new Command('unetc')
    .description(
      'Compiles UNets of diffusion models from JSON graphs to fused WebGPU kernels, and runs them.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', helpOfProgram);
  // Before the commands: they inherit both when they are created.
  program
    .exitOverride()
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr, outputError: () => undefined });
  for (const register of commands) register(program, context);
  for (const command of program.commands) {
    command.exitOverride().copyInheritedSettings(program);
    command.addHelpText('after', () => helpOfCommand(command.name()));
  }
  return program;
}

/** A name that is near to none: the commands there are, or where the options are listed. */
function advised(found: Failure, thrown: unknown, argv: readonly string[], program: Command | null): Failure {
  if (program === null || !(thrown instanceof CommanderError) || found.message.includes('(Did you mean'))
    return found;
  switch (thrown.code) {
    case 'commander.unknownCommand': {
      const names = program.commands.map((command) => command.name()).join(', ');
      return {
        ...found,
        message: `${found.message}; the commands are ${names}; unetc --help says what they do`,
      };
    }
    case 'commander.unknownOption': {
      const command = program.commands.find((one) => argv.includes(one.name()));
      const call = command === undefined ? 'unetc --help' : `unetc ${command.name()} --help`;
      return { ...found, message: `${found.message}; ${call} lists the options` };
    }
    default:
      return found;
  }
}

/** Whether `--json` or `--format json` is among the options, wherever it stands. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.some((word, i) => {
    return word === '--json' || word === '--format=json' || (word === 'json' && words[i - 1] === '--format');
  });
}

/** What a command had printed before it failed, where that is an object. */
function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** Help that was printed for want of a command needs no further words. */
function isSilent(thrown: unknown): boolean {
  return thrown instanceof CommanderError && thrown.code === 'commander.help';
}

/** Marks the word that a line begins with: red for errors, yellow for warnings. */
function colored(context: Context, text: string): string {
  if (!context.color) return text;
  return text.replace(/^(?:(internal error|error)|warning)(?:\[\w+\]|:)/gm, (word, error) => {
    return `\u001b[1;${error ? 31 : 33}m${word}\u001b[0m`;
  });
}
