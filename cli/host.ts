// The command line as a host of the engine: everything is told on stderr.

import { formatDiagnostic } from '../compiler/diagnostics.ts';
import type { Host } from '../engine/host.ts';
import type { JobHost } from '../engine/jobs/watch.ts';
import type { Context } from './context.ts';
import { createProgress } from './progress.ts';
import { watchSamples } from './sample-progress.ts';
import type { ProgressKind } from './words/sample.ts';

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

/** The host of a sampling job, with progress of a kind. */
export function jobHostOf(context: Context, kind: ProgressKind): JobHost {
  const host = hostOf(context, { quiet: kind === 'none' });
  return {
    ...host,
    part({ index, count, from }) {
      if (from === null || kind !== 'auto') return;
      host.note(`part ${index} of ${count} (counted from 0), by ${from}`);
    },
    watch: (work) => watchSamples(kind, work, context),
  };
}
