// The command line as a host of the engine: everything is told on stderr.

import { formatDiagnostic } from '../compiler/diagnostics.ts';
import type { Host } from '../engine/host.ts';
import type { Context } from './context.ts';
import { eventHost } from './events.ts';
import { createProgress } from './progress.ts';

/** How far a command is: a bar or lines as the terminal has it, a JSON document a line, or nothing. */
export type ProgressKind = 'auto' | 'json' | 'none';

/** With `none` nothing is said of what takes a while, and no progress is shown. */
export function hostOf(context: Context, kind: ProgressKind = 'auto'): Host {
  if (kind === 'json') return eventHost(context);
  const quiet = kind === 'none';
  return {
    warn: (warning, file) => context.stderr(`${formatDiagnostic(warning, file)}\n`),
    note: (text) => context.stderr(`note: ${text}\n`),
    stage: quiet ? () => {} : (text) => context.stderr(`${text}\n`),
    progress: (counted) => createProgress(context, { ...counted, quiet }),
    signal: context.signal,
  };
}
