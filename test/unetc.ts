// Runs a command line of `unetc` in this process.

import { main } from '../cli/main.ts';
import { recordingContext } from './recording-context.ts';

export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `unetc` with these words after it. */
export async function unetc(...argv: readonly string[]): Promise<Outcome> {
  const context = recordingContext();
  return { exit: await main(argv, context), ...context.printed };
}

/** The same with `--json`: its document. */
export async function unetcJson<T>(...argv: readonly string[]): Promise<T & { readonly exit: number }> {
  const { exit, stdout } = await unetc(...argv, '--json');
  return { exit, ...(JSON.parse(stdout) as T) };
}
