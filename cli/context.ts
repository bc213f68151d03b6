// What every command is given: where to print, and how. Commands never touch process.stdout themselves.

import type { Command } from 'commander';

export interface Context {
  /** Results. With `--json` exactly one JSON document goes here. */
  stdout(text: string): void;
  /** Everything else: warnings, progress, notes. */
  stderr(text: string): void;
  /** Whether stderr is a terminal (a moving progress bar) and colour is wanted (NO_COLOR unset). */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Whether stdout is a terminal that takes colour; absent is no. */
  readonly colorOut?: boolean;
  /** Aborted by SIGINT and SIGTERM; long commands stop at the next step. */
  readonly signal: AbortSignal;
  /**
   * Asks for time after a signal: the process then ends when the command has, which saves what it has done; a second signal
   * ends it at once. Absent where no process is to be ended.
   */
  waitForEnd?(): void;
}

/** Adds one command to the program. Actions throw; `main` turns errors into messages and exit codes. */
export type Register = (program: Command, context: Context) => void;

/** A check found something (exit 1). */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}
