// A command's context that keeps what was printed.

import type { Context } from '../cli/context.ts';

export interface RecordingContext extends Context {
  /** What was printed so far. */
  readonly printed: { stdout: string; stderr: string };
}

export function recordingContext(changes: Partial<Context> = {}): RecordingContext {
  const printed = { stdout: '', stderr: '' };
  return {
    printed,
    stdout: (text) => {
      printed.stdout += text;
    },
    stderr: (text) => {
      printed.stderr += text;
    },
    interactive: false,
    color: false,
    signal: new AbortController().signal,
    ...changes,
  };
}
