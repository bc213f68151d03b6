// How a command's failure is told: the kind, the exit code of the published table, the words.

import { CommanderError } from 'commander';
import { type Diagnostic, GraphError, MOST_TOLD } from '../compiler/diagnostics.ts';
import { spelled, UsageError } from '../engine/errors.ts';
import { RuntimeError, type RuntimeErrorKind } from '../runtime/errors.ts';
import { CheckFailed } from './context.ts';
import { eventLine } from './events.ts';

export type FailureKind = 'check' | 'usage' | 'graph' | RuntimeErrorKind | 'internal' | 'interrupted';

/** Exit codes outlive versions: scripts rely on them. An interruption adds the signal's number to 128. */
export const exitCodes = {
  check: 1,
  usage: 2,
  graph: 3,
  weights: 4,
  input: 5,
  bundle: 6,
  adapter: 7,
  gpu: 8,
  output: 9,
  internal: 70,
} as const satisfies Record<Exclude<FailureKind, 'interrupted'>, number>;

const signalExits = { SIGINT: 130, SIGTERM: 143 } as const;

/** The reason of an aborted `Context.signal`: which signal it was. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: keyof typeof signalExits) {
    super(`interrupted by ${signal}`);
  }
}

/** A failure as `--json` prints it, under `error`. */
export interface Failure {
  readonly kind: FailureKind;
  readonly exit: number;
  readonly message: string;
  readonly file?: string;
  /** Those that are told, and how many more there are. */
  readonly diagnostics?: readonly Diagnostic[];
  readonly more?: number;
  /** Where our own bug is; for stderr only. */
  readonly stack?: string;
}

/** Tells what an error means for the caller of the command. Whatever nobody foresaw is a bug of ours. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof Interrupted) {
    return { kind: 'interrupted', exit: signalExits[error.signal], message: error.message };
  }
  if (error instanceof GraphError) {
    return {
      kind: 'graph',
      exit: exitCodes.graph,
      message: error.message,
      file: error.file,
      diagnostics: error.diagnostics.slice(0, MOST_TOLD),
      ...(error.diagnostics.length > MOST_TOLD ? { more: error.diagnostics.length - MOST_TOLD } : {}),
    };
  }
  if (error instanceof CommanderError) return failure('usage', usageMessage(error));
  if (error instanceof UsageError) return failure('usage', spelled(error, dashed));
  if (error instanceof CheckFailed) return failure('check', error.message);
  if (error instanceof RuntimeError) return failure(error.kind, spelled(error, dashed));
  if (isSystemError(error)) return failure('output', error.message);
  const stack = error instanceof Error ? error.stack : undefined;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { ...failure('internal', message), ...(stack ? { stack } : {}) };
}

/** The failure in words, as lines for stderr. */
export function failureText(found: Failure): string {
  switch (found.kind) {
    case 'graph':
      // Diagnostics begin with their own `error[…]` or `warning[…]`.
      return shortened(found.message);
    case 'internal':
      return (
        `${found.stack ?? found.message}\n` +
        'internal error: this is a bug in unetc, not in what you gave it.\n' +
        'Please report it with the lines above, the command, the graph if you can, and `unetc doctor --json`.'
      );
    case 'interrupted':
      return found.message;
    default:
      return shortened(`error: ${found.message}`);
  }
}

/** A file may have keys and names of any length; a message is for a person. */
const LONGEST_LINE = 1000;

/** Cuts lines that are too long to be read. */
function shortened(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}… (${line.length} characters)` : line,
    )
    .join('\n');
}

/** A failure as it goes to stderr: an event, or in words. */
export function toldFailure(found: Failure, events: boolean): string {
  if (!events) return `${failureText(found)}\n`;
  const { stack: _, ...failure } = found;
  return eventLine({ event: 'error', ...failure });
}

/** An option as it is typed: `--null-class`; switched off `--no-resume`. */
function dashed(option: string, value?: false): string {
  return `--${value === false ? 'no-' : ''}${option.replaceAll('_', '-')}`;
}

function failure(kind: keyof typeof exitCodes, message: string): Failure {
  return { kind, exit: exitCodes[kind], message };
}

/** Commander's message without its own prefix. */
function usageMessage(error: CommanderError): string {
  return error.message.replace(/^error: /, '');
}

/** An error of the operating system that nobody translated: `ENOSPC: no space left on device, write`. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && 'syscall' in error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code))
  );
}
