// The scaling plot: three panels over batch, pixels and width, one scale of time; measured passes as dots, and beside
// them what the first would become if time grew as the operations do, with and without those of attention.

import {
  COLORS,
  decimal,
  grid,
  HALO,
  halfTicks,
  logScale,
  type Range,
  type Scale,
  svg,
  ticks,
} from '../../engine/plot/axes.ts';
import { label } from '../../engine/plot/svg.ts';
import { sum } from '../../engine/statistics.ts';
import { short } from '../text-table.ts';
import { AXES, type Axis, type Scaling, type ScalingPoint } from './scaling.ts';

const WIDTH = 1060;
const HEIGHT = 460;
const TOP = 84;
const BOTTOM = 392;
const LEFT = 72;
const GAP = 26;
const PANEL = (WIDTH - LEFT - 24 - 2 * GAP) / 3;

const AXIS_LABELS: Readonly<Record<Axis, string>> = {
  batch: 'images in a pass',
  pixels: 'pixels of an image',
  width: 'channels of the first level',
};

const MEASURED = COLORS[0];
const OPERATIONS = COLORS[5];
const WITHOUT_ATTENTION = COLORS[7];

/** An SVG that stands alone; a dot's tooltip says what it is. */
export function scalingPlot(scaling: Scaling): string {
  const { name, target, adapter, runs, points } = scaling;
  const panels = AXES.map((axis) => points.filter((point) => point.axis === axis)).filter(
    (of) => of.length > 0,
  );
  const range = around(
    panels.flatMap((panel) =>
      panel.flatMap((point) => [point.ms_min, point.ms_median, expected(panel[0]!, point)]),
    ),
  );
  const y = logScale(range, BOTTOM, TOP);
  return svg(WIDTH, HEIGHT, [
    label(LEFT, 26, `Time of a forward pass: ${name}, target ${target}`, 'font-size="17" font-weight="600"'),
    label(LEFT, 46, `${adapter}; medians of ${runs}`, 'fill="#555"'),
    legend(),
    label(
      0,
      0,
      'milliseconds',
      `text-anchor="middle" transform="translate(20 ${(TOP + BOTTOM) / 2}) rotate(-90)"`,
    ),
    ...[...ticks(range), ...halfTicks(range)].map((value) =>
      label(LEFT - 8, y(value) + 4, decimal(value), 'text-anchor="end"'),
    ),
    ...panels.map((panel, i) => panelOf(panel, LEFT + i * (PANEL + GAP), range, y)),
  ]);
}

function panelOf(points: readonly ScalingPoint[], left: number, range: Range, y: Scale): string {
  const [first] = points;
  const right = left + PANEL;
  const { axis } = first!;
  const values = points.map(placeOf);
  const xs = around(values);
  const x = logScale(xs, left, right);
  const line = (color: string, dash: string, of: (point: ScalingPoint) => number) => {
    const path = points.map((point) => `${x(placeOf(point))} ${y(of(point))}`).join('L');
    return `<path d="M${path}" fill="none" stroke="${color}" stroke-width="1.75"${dash && ` stroke-dasharray="${dash}"`}/>`;
  };
  const growth = slope(points);
  return [
    grid(range, y, (at) => `M${left} ${at}H${right}`),
    `<path d="${values.map((value) => `M${x(value)} ${TOP}V${BOTTOM}`).join('')}" stroke="#e4e4e4"/>`,
    `<path d="M${left} ${TOP}V${BOTTOM}H${right}" fill="none" stroke="#999"/>`,
    ...points.map((point) => label(x(placeOf(point)), BOTTOM + 18, tickOf(point), 'text-anchor="middle"')),
    label((left + right) / 2, BOTTOM + 42, AXIS_LABELS[axis], 'text-anchor="middle" font-weight="600"'),
    line(WITHOUT_ATTENTION, '2 4', (point) => expected(first!, point, true)),
    line(OPERATIONS, '7 4', (point) => expected(first!, point)),
    line(MEASURED, '', ({ ms_median }) => ms_median),
    ...points.map((point) => dot(point, x(placeOf(point)), y)),
    growth === null
      ? ''
      : label(left + 10, TOP + 18, `time grows with the power ${growth.toFixed(2)}`, `fill="#555" ${HALO}`),
  ].join('\n');
}

/** The median as a dot, down to the least as a line. */
function dot(point: ScalingPoint, x: number, scale: Scale): string {
  const { batch, image_size, width, ms_median, ms_min, flops } = point;
  const tooltip =
    `batch ${batch}, ${image_size.join('x')}, width ${width}: ${short(ms_median)} ms (least ${short(ms_min)}), ` +
    `${short(flops / ms_median / 1e6)} GFLOP/s`;
  const y = scale(ms_median);
  return [
    `<path d="M${x} ${y}V${scale(ms_min)}" stroke="${MEASURED}" stroke-width="3" stroke-opacity="0.35"/>`,
    `<circle cx="${x}" cy="${y}" r="4.5" fill="${MEASURED}" stroke="#fff" stroke-width="1.5"><title>${tooltip}</title></circle>`,
    label(x, y - 10, short(ms_median), `text-anchor="middle" font-size="11" ${HALO}`),
  ].join('\n');
}

function legend(): string {
  const entries = [
    ['measured', MEASURED, ''],
    ['as the operations grow', OPERATIONS, '7 4'],
    ['as those grow that are not attention', WITHOUT_ATTENTION, '2 4'],
  ] as const;
  const widths = [120, 190, 0];
  return entries
    .map(([text, color, dash], i) => {
      const at = LEFT + widths.slice(0, i).reduce((total, one) => total + one, 0);
      const line = `<path d="M${at} 64h26" stroke="${color}" stroke-width="1.75"${dash && ` stroke-dasharray="${dash}"`}/>`;
      return `${line}\n${label(at + 32, 68, text)}`;
    })
    .join('\n');
}

/** The first point's time, grown as the operations. */
function expected(first: ScalingPoint, point: ScalingPoint, withoutAttention = false): number {
  const work = ({ flops, attention_flops }: ScalingPoint) => flops - (withoutAttention ? attention_flops : 0);
  return (first.ms_median * work(point)) / work(first);
}

function placeOf({ axis, batch, image_size, width }: ScalingPoint): number {
  return axis === 'batch' ? batch : axis === 'width' ? width : image_size.reduce((a, b) => a * b, 1);
}

function tickOf(point: ScalingPoint): string {
  return point.axis === 'pixels' ? point.image_size.join('x') : String(placeOf(point));
}

/** All values with some room, for an axis without powers of ten at its ends. */
function around(values: readonly number[]): Range {
  return [Math.min(...values) / 1.3, Math.max(...values) * 1.3];
}

/** The power of a straight line through all points, by least squares of logarithms. Null where there is one point. */
function slope(points: readonly ScalingPoint[]): number | null {
  if (points.length < 2) return null;
  const xs = points.map((point) => Math.log(placeOf(point)));
  const ys = points.map(({ ms_median }) => Math.log(ms_median));
  const mean = (values: readonly number[]) => sum(values) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  return sum(xs.map((value, i) => (value - x) * (ys[i]! - y))) / sum(xs.map((value) => (value - x) ** 2));
}
