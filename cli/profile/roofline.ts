// The roofline plot: arithmetic intensity against the rate that was reached, a dot a group of the schedule, under the two roofs
// that the adapter's peaks make. Both axes are logarithmic; a dot's area is its time.

import {
  COLORS,
  decades,
  decimal,
  grid,
  HALO,
  logScale,
  type Range,
  type Scale,
  svg,
  ticks,
} from '../../engine/plot/axes.ts';
import { escaped, label, round } from '../../engine/plot/svg.ts';
import type { Profile } from '../../engine/profile/measure.ts';
import type { DispatchProfile } from '../../engine/profile/profile.ts';
import { sum } from '../../engine/statistics.ts';
import { short } from '../text-table.ts';

const WIDTH = 1060;
const HEIGHT = 600;
const PLOT = { left: 70, top: 64, right: 760, bottom: 530 };
const RADIUS = { least: 3, most: 17 };

/** Groups that are named in the plot, and the width of the legend's bars. */
const NAMED = 6;
const BAR = 216;

/** A group of the schedule with all its dispatches: what has one place in the plot. */
interface Dot {
  readonly kernel: string;
  readonly group: string;
  readonly path: string;
  readonly ms: number;
  readonly flops: number;
  readonly bytes: number;
}

/** An SVG that stands alone; a dot's tooltip says what it is. Groups without arithmetic have no place in it. */
export function rooflinePlot(profile: Profile): string {
  const groups = groupsOf(profile.dispatches);
  const dots = groups
    .filter(({ flops, bytes, ms }) => flops > 0 && bytes > 0 && ms > 0)
    .toSorted((a, b) => b.ms - a.ms);
  const { gflops_per_s: peak, gb_per_s: bandwidth } = profile.peaks;
  const xs = decades([...dots.map(intensity), peak / bandwidth]);
  const ys = decades([...dots.map(rate), peak * 1.2]);
  const x = logScale(xs, PLOT.left, PLOT.right);
  const y = logScale(ys, PLOT.bottom, PLOT.top);
  const left = groups.length - dots.length;
  const { name, batch, image_size, target, adapter } = profile;
  const title = `${name}, batch ${batch}, ${image_size.join('x')}, target ${target}`;
  return svg(WIDTH, HEIGHT, [
    label(PLOT.left, 26, `Roofline: ${title}`, 'font-size="17" font-weight="600"'),
    label(PLOT.left, 46, adapter, 'fill="#555"'),
    `<defs><clipPath id="plot"><rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.right - PLOT.left}" height="${PLOT.bottom - PLOT.top}"/></clipPath></defs>`,
    underRoof(profile, xs, x, y),
    grid(xs, x, (at) => `M${at} ${PLOT.top}V${PLOT.bottom}`),
    grid(ys, y, (at) => `M${PLOT.left} ${at}H${PLOT.right}`),
    ...ticks(xs).map((value) => label(x(value), PLOT.bottom + 18, decimal(value), 'text-anchor="middle"')),
    ...ticks(ys).map((value) => label(PLOT.left - 8, y(value) + 4, decimal(value), 'text-anchor="end"')),
    label((PLOT.left + PLOT.right) / 2, HEIGHT - 30, 'operations a byte', 'text-anchor="middle"'),
    label(
      0,
      0,
      'GFLOP/s',
      `text-anchor="middle" transform="translate(20 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)"`,
    ),
    roofLine(profile, xs, x, y),
    '<g clip-path="url(#plot)" fill-opacity="0.55" stroke="#fff" stroke-width="0.75">',
    ...dots.map((dot) => circle(dot, profile, x, y)),
    '</g>',
    roofLabels(profile, xs, x, y),
    ...longest(dots, x, y),
    legend(profile),
    left > 0
      ? label(
          PLOT.right + 20,
          PLOT.bottom,
          `without arithmetic or time: ${left} of ${groups.length} groups`,
          'fill="#555"',
        )
      : '',
  ]);
}

/** The dispatches of a group as one; its kernel is the one that has the arithmetic, or else the longest. */
function groupsOf(dispatches: readonly DispatchProfile[]): readonly Dot[] {
  const groups = new Map<string, DispatchProfile[]>();
  for (const one of dispatches) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups].map(([group, members]) => {
    const total = (key: 'ms' | 'flops' | 'bytes') => sum(members.map((one) => one[key]));
    const [main] = members.toSorted((a, b) => b.flops - a.flops || b.ms - a.ms);
    const { kernel, path } = main!;
    return { kernel, group, path, ms: total('ms'), flops: total('flops'), bytes: total('bytes') };
  });
}

function intensity({ flops, bytes }: Dot): number {
  return flops / bytes;
}

function rate({ flops, ms }: Dot): number {
  return flops / ms / 1e6;
}

/** What can be reached. */
function underRoof({ peaks }: Profile, xs: Range, x: Scale, y: Scale): string {
  const { gflops_per_s: peak, gb_per_s: bandwidth } = peaks;
  const roof = `M${PLOT.left} ${PLOT.bottom}V${y(xs[0] * bandwidth)}L${x(peak / bandwidth)} ${y(peak)}H${PLOT.right}V${PLOT.bottom}Z`;
  return `<path d="${roof}" fill="#f6f8fb" clip-path="url(#plot)"/>`;
}

/** Names beside the groups that take longest, where they leave each other room. */
function longest(dots: readonly Dot[], x: Scale, y: Scale): readonly string[] {
  const most = Math.max(...dots.map(({ ms }) => ms));
  const placed: number[] = [];
  return dots.slice(0, 3 * NAMED).flatMap((dot) => {
    const at = y(rate(dot));
    if (placed.length === NAMED || placed.some((other) => Math.abs(other - at) < 16)) return [];
    placed.push(at);
    const right = x(intensity(dot)) < (PLOT.left + PLOT.right) / 2;
    const away = (right ? 1 : -1) * (radius(dot, most) + 5);
    const anchor = `text-anchor="${right ? 'start' : 'end'}" font-size="11" ${HALO}`;
    return [label(x(intensity(dot)) + away, at + 4, `${dot.path}  ${dot.ms.toFixed(1)} ms`, anchor)];
  });
}

function radius({ ms }: Dot, most: number): number {
  return Math.max(RADIUS.least, RADIUS.most * Math.sqrt(ms / most));
}

/** The slope of the bandwidth up to the ridge, from there the plateau of the arithmetic. */
function roofLine({ peaks }: Profile, xs: Range, x: Scale, y: Scale): string {
  const { gflops_per_s: peak, gb_per_s: bandwidth } = peaks;
  const line = `M${x(xs[0])} ${y(xs[0] * bandwidth)}L${x(peak / bandwidth)} ${y(peak)}H${PLOT.right}`;
  return `<path d="${line}" fill="none" stroke="#222" stroke-width="1.75" clip-path="url(#plot)"/>`;
}

/** Along the slope and on the plateau's beginning, readable also where dots lie beneath. */
function roofLabels({ peaks }: Profile, xs: Range, x: Scale, y: Scale): string {
  const { gflops_per_s: peak, gb_per_s: bandwidth, source } = peaks;
  const ridge = peak / bandwidth;
  const run = x(ridge) - x(xs[0]);
  const slope = (Math.atan2(y(peak) - y(xs[0] * bandwidth), run) * 180) / Math.PI;
  const middle = Math.sqrt(Math.max(xs[0], 1e-3 * ridge) * ridge);
  const at = `translate(${x(middle)} ${round(y(middle * bandwidth) - 6)}) rotate(${round(slope)})`;
  return [
    label(0, 0, `${short(bandwidth)} GB/s (${source})`, `text-anchor="middle" transform="${at}" ${HALO}`),
    label(x(ridge) + 6, y(peak) - 7, `${short(peak)} GFLOP/s (${source})`, HALO),
  ].join('\n');
}

function circle(dot: Dot, { dispatches, peaks, gpu_ms, ...profile }: Profile, x: Scale, y: Scale): string {
  const most = Math.max(...groupsOf(dispatches).map(({ ms }) => ms));
  const { kernel, group, path, ms, flops, bytes } = dot;
  const roof = Math.max(flops / peaks.gflops_per_s, bytes / peaks.gb_per_s) / 1e6;
  const tooltip = [
    group.includes(path) ? group : `${group}  # ${path}`,
    `${ms.toFixed(3)} ms, ${((100 * ms) / gpu_ms).toFixed(1)}% of the pass`,
    `${short(rate(dot))} GFLOP/s, ${short(bytes / ms / 1e6)} GB/s, ${((100 * roof) / ms).toFixed(0)}% of the roofline`,
  ];
  const place = `cx="${x(intensity(dot))}" cy="${y(rate(dot))}" r="${round(radius(dot, most))}"`;
  return `<circle ${place} fill="${colorOf(kernel, profile)}"><title>${escaped(tooltip.join('\n'))}</title></circle>`;
}

/** The kernels, the longest first, with their shares of the time as bars. */
function legend(profile: Profile): string {
  const left = PLOT.right + 20;
  return profile.kernels
    .map(({ kernel, share, dispatches }, i) => {
      const top = PLOT.top + 4 + 34 * i;
      const bar = `<rect x="${left}" y="${top + 6}" width="${round(Math.max(BAR * share, 1))}" height="8" rx="2" fill="${colorOf(kernel, profile)}" fill-opacity="0.8"/>`;
      const track = `<rect x="${left}" y="${top + 6}" width="${BAR}" height="8" rx="2" fill="#eef0f3"/>`;
      return [
        label(left, top, kernel, 'font-weight="600"'),
        label(left + BAR, top, `${dispatches} x`, 'text-anchor="end" fill="#555" font-size="11"'),
        track,
        bar,
        label(left + BAR + 8, top + 14, `${(100 * share).toFixed(1)}%`, 'font-size="11"'),
      ].join('\n');
    })
    .join('\n');
}

function colorOf(kernel: string, { kernels }: Pick<Profile, 'kernels'>): string {
  const i = kernels.findIndex((one) => one.kernel === kernel);
  return COLORS[Math.min(i, COLORS.length - 1)]!;
}
