// What the engine needs of whoever calls it: somewhere to tell of what happens, and a signal to stop by. The command
// line prints, the Node API collects; a page would show.

import { type Diagnostic, MOST_TOLD } from '../compiler/diagnostics.ts';

/** How far something is that is done in pieces. */
export interface Progress {
  /** Says that `done` of the total are done; never fewer than before. */
  update(done: number): void;
  /** Ends the display, also where the work failed: other text may follow. */
  finish(): void;
}

/** What is done in pieces. */
export interface Counted {
  /** What is being done, such as `sampling`. */
  readonly label: string;
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit: string;
}

export interface Host {
  /** Takes a finding about a graph that can be used all the same; `file` is what messages call the graph. */
  warn(warning: Diagnostic, file: string): void;
  /** Takes something that the caller should know beside the result, such as what was done to make weights fit. */
  note(text: string): void;
  /** Takes what is begun now and may take a while. */
  stage(text: string): void;
  /** Begins to show how far something is. */
  progress(counted: Counted): Progress;
  /** Aborted where the caller wants no more of it: long work stops at its next step, and throws the reason. */
  readonly signal: AbortSignal;
}

/** A host that shows nothing, collects notes as texts (a warning as `CODE: message`), and is never aborted. */
export function silentHost(notes: string[] = []): Host {
  return {
    warn: ({ code, message }) => notes.push(`${code}: ${message}`),
    note: (text) => notes.push(text),
    stage() {},
    progress: () => ({ update() {}, finish() {} }),
    signal: new AbortController().signal,
  };
}

/** Tells the warnings of a graph; of very many, the first. */
export function warnAll(host: Pick<Host, 'warn'>, warnings: readonly Diagnostic[], file: string): void {
  for (const warning of warnings.slice(0, MOST_TOLD)) host.warn(warning, file);
}
