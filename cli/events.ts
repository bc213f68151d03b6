// What `--progress json` writes to stderr: a JSON document a line, whatever there is to say, for programs that watch a run.

import type { Diagnostic } from '../compiler/diagnostics.ts';
import type { Host } from '../engine/host.ts';
import type { Context } from './context.ts';

/** What is said beside how far a run is; `error` is of exit.ts. */
type SaidEvent =
  | ({ readonly event: 'warning'; readonly file: string } & Omit<Diagnostic, 'severity'>)
  | { readonly event: 'note'; readonly text: string }
  | { readonly event: 'stage'; readonly text: string }
  | {
      readonly event: 'progress';
      readonly label: string;
      readonly unit: string;
      readonly done: number;
      readonly total: number;
    };

/** Progress is told no more often than this, in milliseconds, but for the last. */
const INTERVAL = 100;

/** Whether a call asks for events on stderr, wherever it says so. */
export function wantsEvents(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.some(
    (word, i) => word === '--progress=json' || (word === 'json' && words[i - 1] === '--progress'),
  );
}

/** An event as a line. */
export function eventLine(event: object): string {
  return `${JSON.stringify(event)}\n`;
}

/** stderr as a host of the engine that says everything as events. */
export function eventHost(context: Context): Host {
  const say = (event: SaidEvent): void => context.stderr(eventLine(event));
  return {
    warn: ({ severity: _, ...warning }, file) => say({ event: 'warning', file, ...warning }),
    note: (text) => say({ event: 'note', text }),
    stage: (text) => say({ event: 'stage', text }),
    progress({ label, unit, total }) {
      let told = Number.NEGATIVE_INFINITY;
      return {
        update(done) {
          if (done < total && performance.now() - told < INTERVAL) return;
          told = performance.now();
          say({ event: 'progress', label, unit, done, total });
        },
        finish() {},
      };
    },
    signal: context.signal,
  };
}
