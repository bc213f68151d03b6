// The loss curve of a run as an SVG, from its log: the mean over all timesteps, that of each quarter of the
// process, and where there are some that of held-out images, on a logarithmic scale. The same log gives the same picture.

import type { ProgressTable } from '../../runtime/training/progress-table.ts';
import {
  COLORS,
  decades,
  grid,
  HALO,
  halfTicks,
  logScale,
  type Range,
  type Scale,
  svg,
  ticks,
} from '../plot/axes.ts';
import { label, round } from '../plot/svg.ts';

export const LOSS_PLOT = 'loss.svg';

const [WIDTH, HEIGHT] = [860, 460];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 190, 48, 48];
/** Points of a line; rows that are more are averaged. */
const POINTS = 240;

/** The column of images that are not trained with. */
const HELD_OUT = 'val_loss';

/** Lines of the plot: columns of the log, of a classifier behind `train_`, and what the key calls them. */
const LINES = [
  { key: 'loss', text: 'all timesteps', width: 2.2 },
  { key: 'loss_q0', text: 'first quarter (least noise)', width: 1.2 },
  { key: 'loss_q1', text: 'second quarter', width: 1.2 },
  { key: 'loss_q2', text: 'third quarter', width: 1.2 },
  { key: 'loss_q3', text: 'last quarter (most noise)', width: 1.2 },
  { key: HELD_OUT, text: 'held-out images', width: 2.2 },
] as const;

interface Point {
  readonly step: number;
  readonly value: number;
}

/** @param name of the graph */
export function lossPlot(table: ProgressTable, name: string): string {
  const prefix = table.keys.includes('train_loss') ? 'train_' : '';
  const lines = LINES.map(({ key, ...line }, k) => ({
    ...line,
    color: COLORS[k]!,
    points: pointsOf(table, key === HELD_OUT ? key : `${prefix}${key}`),
  }));
  const shown = lines.filter(({ points }) => points.length > 0);
  const values = shown.flatMap(({ points }) => points.map(({ value }) => value));
  if (values.length === 0) return svg(WIDTH, HEIGHT, [label(LEFT, TOP, `${name}: no losses yet`)]);
  const column = table.keys.indexOf('step');
  const [first, last] = [Number(table.rows[0]![column]), Number(table.rows.at(-1)![column])];
  const range = rangeOf(values);
  const y = logScale(range, HEIGHT - BOTTOM, TOP);
  const x: Scale = (step) =>
    round(LEFT + ((WIDTH - LEFT - RIGHT) * (step - first)) / Math.max(1, last - first));
  const right = WIDTH - RIGHT;
  return svg(
    WIDTH,
    HEIGHT,
    [
      label(LEFT, 26, `${name}: loss, steps ${first} to ${last}`, 'font-size="15" font-weight="600"'),
      grid(range, y, (at) => `M${LEFT} ${at}H${right}`),
      ...[...ticks(range), ...(range[1] / range[0] <= 1000 ? halfTicks(range) : [])].map((tick) =>
        label(LEFT - 8, y(tick) + 4, String(Number(tick.toPrecision(3))), 'text-anchor="end" fill="#555"'),
      ),
      ...stepTicks(first, last).map((tick) =>
        label(
          x(tick),
          HEIGHT - BOTTOM + 20,
          tick.toLocaleString('en-US'),
          'text-anchor="middle" fill="#555"',
        ),
      ),
      label((LEFT + right) / 2, HEIGHT - 10, 'step', 'text-anchor="middle" fill="#555"'),
      ...shown
        .toReversed()
        .map(
          ({ points, color, width }) =>
            `<path d="${pathOf(points, x, y)}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round"/>`,
        ),
      ...shown.map(({ text, color, points }, k) => {
        const value = Number(points.at(-1)!.value.toPrecision(3));
        return (
          label(right + 14, TOP + 8 + 34 * k, text, `fill="${color}" font-weight="600" ${HALO}`) +
          label(right + 14, TOP + 23 + 34 * k, `${value} at the end`, 'fill="#555" font-size="11"')
        );
      }),
    ],
    `The loss of ${name}`,
  );
}

/** Of a column the rows that have a value above 0, averaged where they are many. */
function pointsOf({ keys, rows }: ProgressTable, key: string): readonly Point[] {
  const [column, stepColumn] = [keys.indexOf(key), keys.indexOf('step')];
  if (column < 0 || stepColumn < 0) return [];
  const all = rows.flatMap((row): Point[] => {
    const [step, value] = [Number(row[stepColumn]), Number(row[column] || Number.NaN)];
    return value > 0 && Number.isFinite(value) ? [{ step, value }] : [];
  });
  const each = Math.ceil(all.length / POINTS);
  if (each <= 1) return all;
  return Array.from({ length: Math.ceil(all.length / each) }, (_, k) => {
    const some = all.slice(k * each, (k + 1) * each);
    const mean = (of: (point: Point) => number) =>
      some.reduce((sum, point) => sum + of(point), 0) / some.length;
    return { step: mean(({ step }) => step), value: mean(({ value }) => value) };
  });
}

/** Around all values: whole decades where they are many, else from a fine tick to a fine tick. */
function rangeOf(values: readonly number[]): Range {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const fine = halfTicks([least / 10, greatest * 10]).concat(ticks(decades(values)));
  const below = Math.max(...fine.filter((tick) => tick <= least), decades(values)[0]);
  const above = Math.min(...fine.filter((tick) => tick >= greatest && tick > below), decades(values)[1]);
  return [below, above];
}

/** Round numbers of steps, five of them or so. */
function stepTicks(first: number, last: number): readonly number[] {
  const span = Math.max(1, last - first);
  const rough = 10 ** Math.floor(Math.log10(span));
  const every = Math.max(
    1,
    [0.1, 0.2, 0.5, 1].map((part) => part * rough).find((size) => span / size <= 6) ?? 2 * rough,
  );
  const from = Math.ceil(first / every);
  return Array.from({ length: Math.floor(last / every) - from + 1 }, (_, k) => (from + k) * every);
}

function pathOf(points: readonly Point[], x: Scale, y: Scale): string {
  return points.map(({ step, value }, k) => `${k === 0 ? 'M' : 'L'}${x(step)} ${y(value)}`).join('');
}
