// How far a run of `sample` is, on stderr: a bar or lines, or a JSON document a line for programs that watch.

import type { JobHost, SampleWatch, SamplingWork } from '../engine/jobs/watch.ts';
import type { Context } from './context.ts';
import { eventLine } from './events.ts';
import { hostOf, type ProgressKind } from './host.ts';
import { createProgress } from './progress.ts';

/** What `--progress json` prints. Times are in seconds from the start of sampling. */
type Event =
  | { readonly event: 'start'; readonly samples: number; readonly resumed: number; readonly steps: number }
  | {
      readonly event: 'step';
      readonly done: number;
      readonly total: number;
      readonly batch: number;
      readonly batches: number;
      readonly step: number;
      readonly steps: number;
      readonly seconds: number;
      readonly seconds_left: number;
    }
  | {
      readonly event: 'sample';
      readonly seed: number;
      readonly file: string | null;
      readonly seconds: number;
    };

/** Steps are reported no more often than this, in milliseconds, but for the last. */
const INTERVAL = 100;

export function watchSamples(kind: ProgressKind, work: SamplingWork, context: Context): SampleWatch {
  if (kind !== 'json') {
    const options = { label: 'sampling', unit: 'steps', total: work.total, quiet: kind === 'none' };
    const progress = createProgress(context, options);
    return { step: ({ done }) => progress.update(done), sample() {}, end: () => progress.finish() };
  }
  const start = performance.now();
  const seconds = (): number => Math.round(performance.now() - start) / 1000;
  const print = (event: Event): void => context.stderr(eventLine(event));
  let printed = Number.NEGATIVE_INFINITY;
  print({ event: 'start', samples: work.samples, resumed: work.resumed, steps: work.total });
  return {
    step({ done, total, batch, batches, step, steps }) {
      if (done < total && performance.now() - printed < INTERVAL) return;
      printed = performance.now();
      const now = seconds();
      const seconds_left = Math.round((now / done) * (total - done) * 1000) / 1000;
      print({ event: 'step', done, total, batch, batches, step, steps, seconds: now, seconds_left });
    },
    sample: ({ seed, file }) => print({ event: 'sample', seed, file: file ?? null, seconds: seconds() }),
    end() {},
  };
}

/** The host of a sampling job, with progress of a kind. */
export function jobHostOf(context: Context, kind: ProgressKind): JobHost {
  const host = hostOf(context, kind);
  return {
    ...host,
    part({ index, count, from }) {
      if (from === null || kind === 'none') return;
      host.note(`part ${index} of ${count} (counted from 0), by ${from}`);
    },
    watch: (work) => watchSamples(kind, work, context),
  };
}
