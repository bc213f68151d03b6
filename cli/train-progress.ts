// How far a run of `train` is, on stderr: a bar or lines, or a JSON document a line for programs that watch.

import type { Training, TrainReport } from '../engine/training/train.ts';
import type { Context } from './context.ts';
import { eventLine } from './events.ts';
import type { ProgressKind } from './host.ts';
import { formatDuration, formatRate } from './progress.ts';

/** What `--progress json` prints. Times are in seconds from the start of training. */
type Event =
  | {
      readonly event: 'start';
      readonly adapter: string;
      readonly bytes: number;
      readonly from: number;
      /** Null for a run without an end. */
      readonly steps: number | null;
    }
  | {
      readonly event: 'step';
      readonly step: number;
      readonly steps: number | null;
      readonly losses: Readonly<Record<string, number>>;
      readonly grad_norm: number;
      readonly learning_rate: number;
      /** In float16 the logarithm to base 2 of the loss's scale. */
      readonly lg_loss_scale?: number;
      readonly seconds: number;
      readonly seconds_left: number | null;
    }
  | {
      readonly event: 'validation';
      readonly step: number;
      readonly losses: Readonly<Record<string, number>>;
    }
  | { readonly event: 'overflow'; readonly step: number; readonly lg_loss_scale: number }
  | { readonly event: 'saved' | 'picture'; readonly step: number; readonly file: string };

export interface TrainProgress {
  step(report: TrainReport): void;
  /** Ends the display, also where the run failed: other text may follow. */
  end(): void;
}

/** Steps are told no more often than this, in milliseconds, but for the last: as events, and on a bar. */
const INTERVAL = 100;
/** Lines come no more often than this where nothing moves a bar. */
const LINE_INTERVAL = 30_000;
const BAR_WIDTH = 20;
/** How much a new loss counts in the one that is shown. */
const SMOOTHING = 0.05;

export function watchTraining(
  kind: ProgressKind,
  run: Pick<Training, 'adapter' | 'bytes' | 'from' | 'steps'>,
  context: Context,
  now: () => number = () => performance.now(),
): TrainProgress {
  const { adapter, bytes, from, steps } = run;
  const start = now();
  const seconds = (): number => Math.round(now() - start) / 1000;
  const left = (position: number): number | null => {
    const done = position - from;
    return Number.isFinite(steps) && done > 0
      ? Math.round((seconds() / done) * (steps - position) * 1000) / 1000
      : null;
  };
  const total = Number.isFinite(steps) ? steps : null;
  let told = Number.NEGATIVE_INFINITY;
  const isTime = (position: number, interval: number): boolean => {
    if (position !== steps && now() - told < interval) return false;
    told = now();
    return true;
  };

  if (kind === 'none') return { step() {}, end() {} };
  if (kind === 'json') {
    const print = (event: Event): void => context.stderr(eventLine(event));
    print({ event: 'start', adapter, bytes, from, steps: total });
    return {
      step({
        step,
        position,
        losses,
        grad_norm,
        learning_rate,
        taken,
        lg_loss_scale,
        validation,
        saved,
        picture,
      }) {
        const scale = lg_loss_scale === null ? {} : { lg_loss_scale };
        if (!taken && lg_loss_scale !== null) print({ event: 'overflow', step, lg_loss_scale });
        if (isTime(position, INTERVAL)) {
          const times = { seconds: seconds(), seconds_left: left(position) };
          print({ event: 'step', step, steps: total, losses, grad_norm, learning_rate, ...scale, ...times });
        }
        if (validation !== null) print({ event: 'validation', step, losses: validation });
        if (saved !== null) print({ event: 'saved', step: position, file: saved });
        if (picture !== null) print({ event: 'picture', step: position, file: picture });
      },
      end() {},
    };
  }

  let smooth: number | null = null;
  let held: number | null = null;
  const describe = (position: number): string => {
    const rate = (position - from) / Math.max(1e-9, (now() - start) / 1000);
    const remaining = left(position);
    return [
      ...(total === null ? [`step ${position}`] : [`${position}/${total} steps`]),
      formatRate(rate, 'steps'),
      ...(remaining === null ? [] : [`${formatDuration(remaining)} left`]),
      `loss ${smooth?.toPrecision(4) ?? 'not finite'}`,
      ...(held === null ? [] : [`held out ${held.toPrecision(4)}`]),
      `${(bytes / 1e6).toFixed(0)} MB`,
    ].join('  ');
  };
  return {
    step({ step, position, losses, taken, lg_loss_scale, validation, saved }) {
      const loss = losses.loss ?? Number.NaN;
      held = validation?.val_loss ?? held;
      if (Number.isFinite(loss)) smooth = smooth === null ? loss : smooth + SMOOTHING * (loss - smooth);
      if (!taken && lg_loss_scale !== null) {
        const line = `step ${step}: ${overflowLine(loss, lg_loss_scale)}\n`;
        context.stderr(context.interactive ? `\r\u001b[K${line}` : line);
      }
      if (context.interactive) {
        if (saved !== null) context.stderr(`\r\u001b[K${saved}: written\n`);
        if (isTime(position, INTERVAL))
          context.stderr(`\r\u001b[Ktraining ${bar(position, total)}${describe(position)}`);
      } else if (saved !== null || isTime(position, LINE_INTERVAL)) {
        context.stderr(`training: ${describe(position)}${saved === null ? '' : `  ${saved}`}\n`);
      }
    },
    end() {
      if (context.interactive) context.stderr('\r\u001b[K');
    },
  };
}

function bar(position: number, total: number | null): string {
  if (total === null) return '';
  const filled = Math.floor((BAR_WIDTH * position) / total);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} `;
}

/** What is said of a step that changed nothing. `lg` is the logarithm of the scale that the next one has. */
function overflowLine(loss: number, lg: number): string {
  const what = Number.isFinite(loss) ? 'a gradient overflowed float16' : `the loss is ${loss}`;
  return `${what}; nothing changed, and the scale of the loss falls to 2^${Number(lg.toFixed(3))}`;
}
