// How far a long command is, on stderr: a moving bar on a terminal, elsewhere a plain line at every tenth.

import type { Context } from './context.ts';

export interface Progress {
  /** Says that `done` of the total are done; never fewer than before. */
  update(done: number): void;
  /** Clears the bar, so that other text can follow. Call it on failure too. */
  finish(): void;
}

export interface ProgressOptions {
  /** What is being done, such as `sampling`. */
  readonly label: string;
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit: string;
  /** Prints nothing at all. */
  readonly quiet?: boolean;
  /** Milliseconds of a clock that only rises. */
  readonly now?: () => number;
}

const BAR_WIDTH = 24;
/** A bar that moves more often than this only costs time. */
const REDRAW_MS = 100;
const TENTHS = 10;

export function createProgress(context: Context, options: ProgressOptions): Progress {
  if (options.quiet || options.total <= 0) return { update() {}, finish() {} };
  return context.interactive ? movingBar(context, options) : plainLines(context, options);
}

function movingBar(context: Context, options: ProgressOptions): Progress {
  const { now = () => performance.now(), total } = options;
  const pace = createPace(now, total);
  let drawn = Number.NEGATIVE_INFINITY;
  const draw = (done: number): void => {
    const filled = Math.round((BAR_WIDTH * done) / total);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    context.stderr(`\r\u001b[K${options.label} ${bar} ${describe(done, options, pace)}`);
  };
  draw(0);
  return {
    update(done) {
      pace.mark(done);
      if (done < total && now() - drawn < REDRAW_MS) return;
      drawn = now();
      draw(done);
    },
    finish: () => context.stderr('\r\u001b[K'),
  };
}

function plainLines(context: Context, options: ProgressOptions): Progress {
  const { now = () => performance.now(), total } = options;
  const pace = createPace(now, total);
  let printed = 0;
  return {
    update(done) {
      pace.mark(done);
      const tenth = Math.floor((TENTHS * done) / total);
      if (tenth <= printed) return;
      printed = tenth;
      context.stderr(`${options.label}: ${describe(done, options, pace)}\n`);
    },
    finish() {},
  };
}

/** `62%  31/50 steps  4.1 steps/s  0:05 left` */
function describe(done: number, { total, unit }: ProgressOptions, pace: Pace): string {
  const rate = pace.rate();
  const counted = `${String(Math.floor((100 * done) / total)).padStart(3)}%  ${done}/${total} ${unit}`;
  if (rate === null) return counted;
  const left =
    done < total ? `${formatDuration((total - done) / rate)} left` : `${formatDuration(pace.elapsed())}`;
  return `${counted}  ${formatRate(rate, unit)}  ${left}`;
}

/** `4.1 steps/s`, and below one a second `2.5 s a step`. */
export function formatRate(rate: number, unit: string): string {
  if (rate >= 1) return `${rate < 100 ? rate.toFixed(1) : rate.toFixed(0)} ${unit}/s`;
  return `${(1 / rate).toFixed(1)} s a ${unit.replace(/s$/, '')}`;
}

/** Seconds as `0:05`, `12:34` or `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

interface Pace {
  mark(done: number): void;
  /** Units a second, or null where it is not known yet. */
  rate(): number | null;
  /** Seconds since the start. */
  elapsed(): number;
}

/** Measures from the first unit that was done: it alone pays for warming up. */
function createPace(now: () => number, total: number): Pace {
  const start = now();
  let first: { readonly done: number; readonly time: number } | null = null;
  let last = { done: 0, time: start };
  return {
    mark(done) {
      last = { done, time: now() };
      first ??= last;
    },
    rate() {
      const from = first === null || first.done === last.done ? { done: 0, time: start } : first;
      const seconds = (last.time - from.time) / 1000;
      const units = Math.min(last.done, total) - from.done;
      return units > 0 && seconds > 0 ? units / seconds : null;
    },
    elapsed: () => (last.time - start) / 1000,
  };
}
