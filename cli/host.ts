// The command line as a host of the engine: everything is told on stderr.

import { formatDiagnostic } from '../compiler/diagnostics.ts';
import type { Host } from '../engine/host.ts';
import type { Context } from './context.ts';
import { createProgress } from './progress.ts';

/** `quiet` says nothing of what takes a while, and shows no progress. */
export function hostOf(context: Context, { quiet = false } = {}): Host {
  return {
    warn: (warning, file) => context.stderr(`${formatDiagnostic(warning, file)}\n`),
    note: (text) => context.stderr(`note: ${text}\n`),
    stage: quiet ? () => {} : (text) => context.stderr(`${text}\n`),
    progress: (counted) => createProgress(context, { ...counted, quiet }),
    signal: context.signal,
  };
}
