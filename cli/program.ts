// The program as a function: words in, text out, an exit code back. The process itself is cli/process.ts.

import { Command, CommanderError } from 'commander';
import { packageVersion } from '../engine/package.ts';
import type { Context, Register } from './context.ts';
import { describeFailure, failureText } from './exit.ts';

const examples = `
Examples:
  unetc validate graphs/cifar10.json
  unetc compile graphs/mnist.json -o out/mnist
  unetc sample graphs/mnist.json --weights graphs/mnist.safetensors --seeds 0-15 --class 3 -o out/threes
  unetc doctor

Exit codes: 0 done, 1 a check found something, 2 usage, 3 graph, 4 weights, 5 input, 6 bundle, 7 adapter,
8 GPU, 9 output, 70 a bug of ours, 130 and 143 interrupted. --json prints one JSON document, also for errors.`;

/**
 * Runs one command and returns its exit code; never throws.
 *
 * `argv` are the words after `unetc`. With `--json` exactly one document reaches `context.stdout`: the command's
 * result, and with a failure also `"error": {kind, exit, message, diagnostics?}`.
 */
export async function runProgram(
  argv: readonly string[],
  context: Context,
  commands: readonly Register[],
): Promise<number> {
  const json = wantsJson(argv);
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
  try {
    await buildProgram(inner, commands).parseAsync([...argv], { from: 'user' });
    context.signal.throwIfAborted();
    if (held) context.stdout(held);
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) {
      if (held) context.stdout(held);
      return 0;
    }
    // What a command throws after a signal is only the way it stopped.
    const found = describeFailure(context.signal.aborted ? context.signal.reason : thrown);
    if (!isSilent(thrown)) context.stderr(`${colored(context, failureText(found))}\n`);
    if (json) {
      const { stack: _, ...error } = found;
      context.stdout(`${JSON.stringify({ ...parseObject(held), error }, null, 2)}\n`);
    }
    return found.exit;
  }
}

function buildProgram(context: Context, commands: readonly Register[]): Command {
  const program = new Command('unetc')
    .description(
      'Compiles UNets of diffusion models from JSON graphs to fused WebGPU kernels, and runs them.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', examples);
  // Before the commands: they inherit both when they are created.
  program
    .exitOverride()
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr, outputError: () => undefined });
  for (const register of commands) register(program, context);
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  return program;
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
