// The roofline plot: arithmetic intensity against the rate that was reached, a dot a dispatch, under the two roofs
// that the adapter's peaks make. Both axes are logarithmic; a dot's area is its time.

import { escaped, label, round } from '../svg.ts';
import { short } from '../text-table.ts';
import type { Profile } from './measure.ts';
import type { DispatchProfile } from './profile.ts';

const WIDTH = 1060;
const HEIGHT = 600;
const PLOT = { left: 70, top: 64, right: 760, bottom: 530 };
const RADIUS = { least: 2.5, most: 18 };

/** Okabe and Ito's colours, which colour-blind readers tell apart. */
const COLORS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#666666'];

type Scale = (value: number) => number;

/** An SVG that stands alone; a dot's tooltip says what it is. Dispatches without arithmetic have no place in it. */
export function rooflinePlot(profile: Profile): string {
  const dots = profile.dispatches
    .filter(({ flops, bytes, ms }) => flops > 0 && bytes > 0 && ms > 0)
    .toSorted((a, b) => b.ms - a.ms);
  const { gflops_per_s: peak, gb_per_s: bandwidth } = profile.peaks;
  const xs = decades([...dots.map(intensity), peak / bandwidth]);
  const ys = decades([...dots.map((dot) => dot.gflops_per_s), peak]);
  const x = logScale(xs, PLOT.left, PLOT.right);
  const y = logScale(ys, PLOT.bottom, PLOT.top);
  const left = profile.dispatches.length - dots.length;
  const { name, batch, image_size, target, adapter } = profile;
  const title = `${name}, batch ${batch}, ${image_size.join('x')}, target ${target}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, Helvetica, Arial, sans-serif" font-size="12" fill="#222">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${label(PLOT.left, 26, `Roofline: ${title}`, 'font-size="17" font-weight="600"')}
${label(PLOT.left, 46, adapter, 'fill="#555"')}
<defs><clipPath id="plot"><rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.right - PLOT.left}" height="${PLOT.bottom - PLOT.top}"/></clipPath></defs>
${grid(xs, x, (at) => `M${at} ${PLOT.top}V${PLOT.bottom}`)}
${grid(ys, y, (at) => `M${PLOT.left} ${at}H${PLOT.right}`)}
${ticks(xs)
  .map((value) => label(x(value), PLOT.bottom + 18, decimal(value), 'text-anchor="middle"'))
  .join('\n')}
${ticks(ys)
  .map((value) => label(PLOT.left - 8, y(value) + 4, decimal(value), 'text-anchor="end"'))
  .join('\n')}
${label((PLOT.left + PLOT.right) / 2, HEIGHT - 30, 'operations a byte', 'text-anchor="middle"')}
${label(0, 0, 'GFLOP/s', `text-anchor="middle" transform="translate(20 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)"`)}
${roofLine(profile, xs, x, y)}
<g clip-path="url(#plot)" fill-opacity="0.55" stroke="#fff" stroke-width="0.75">
${dots.map((dot) => circle(dot, profile, x, y)).join('\n')}
</g>
${roofLabels(profile, xs, x, y)}
${legend(profile)}
${left > 0 ? label(PLOT.right + 20, PLOT.bottom, `${left} without arithmetic or time: not shown`, 'fill="#555"') : ''}
</svg>
`;
}

function intensity({ flops, bytes }: Pick<DispatchProfile, 'flops' | 'bytes'>): number {
  return flops / bytes;
}

/** Powers of ten around all values: [least, greatest]. */
function decades(values: readonly number[]): readonly [number, number] {
  const least = Math.floor(Math.log10(Math.min(...values)));
  const greatest = Math.ceil(Math.log10(Math.max(...values) * 1.2));
  return [10 ** least, 10 ** Math.max(greatest, least + 1)];
}

function logScale([least, greatest]: readonly [number, number], from: number, to: number): Scale {
  const span = Math.log10(greatest / least);
  return (value) => round(from + ((to - from) * Math.log10(value / least)) / span);
}

/** The powers of ten from the least to the greatest. */
function ticks([least, greatest]: readonly [number, number]): readonly number[] {
  const [first, last] = [Math.round(Math.log10(least)), Math.round(Math.log10(greatest))];
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

function grid(range: readonly [number, number], scale: Scale, line: (at: number) => string): string {
  const within = ticks(range).slice(0, -1);
  const minor = within.flatMap((value) => [2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * value));
  const path = (values: readonly number[], color: string) =>
    `<path d="${values.map((value) => line(scale(value))).join('')}" stroke="${color}" fill="none"/>`;
  return `${path(minor, '#f1f1f1')}\n${path(ticks(range), '#d8d8d8')}`;
}

/** The slope of the bandwidth up to the ridge, from there the plateau of the arithmetic. */
function roofLine({ peaks }: Profile, xs: readonly [number, number], x: Scale, y: Scale): string {
  const { gflops_per_s: peak, gb_per_s: bandwidth } = peaks;
  const line = `M${x(xs[0])} ${y(xs[0] * bandwidth)}L${x(peak / bandwidth)} ${y(peak)}H${PLOT.right}`;
  return `<path d="${line}" fill="none" stroke="#222" stroke-width="1.75" clip-path="url(#plot)"/>`;
}

/** Along the slope and on the plateau's beginning, readable also where dots lie beneath. */
function roofLabels({ peaks }: Profile, xs: readonly [number, number], x: Scale, y: Scale): string {
  const { gflops_per_s: peak, gb_per_s: bandwidth, source } = peaks;
  const ridge = peak / bandwidth;
  const run = x(ridge) - x(xs[0]);
  const slope = (Math.atan2(y(peak) - y(xs[0] * bandwidth), run) * 180) / Math.PI;
  const middle = Math.sqrt(Math.max(xs[0], 1e-3 * ridge) * ridge);
  const at = `translate(${x(middle)} ${round(y(middle * bandwidth) - 6)}) rotate(${round(slope)})`;
  const halo = 'stroke="#fff" stroke-width="3" paint-order="stroke"';
  return [
    label(0, 0, `${short(bandwidth)} GB/s (${source})`, `text-anchor="middle" transform="${at}" ${halo}`),
    label(x(ridge) + 6, y(peak) - 7, `${short(peak)} GFLOP/s (${source})`, halo),
  ].join('\n');
}

function circle(dot: DispatchProfile, profile: Profile, x: Scale, y: Scale): string {
  const longest = Math.max(...profile.dispatches.map(({ ms }) => ms));
  const radius = Math.max(RADIUS.least, RADIUS.most * Math.sqrt(dot.ms / longest));
  const roofline = dot.roofline === null ? '' : `, ${(100 * dot.roofline).toFixed(0)}% of the roofline`;
  const tooltip = [
    dot.group.includes(dot.path) ? dot.group : `${dot.group}  # ${dot.path}`,
    `${dot.ms.toFixed(3)} ms, ${(100 * dot.share).toFixed(1)}% of the pass`,
    `${short(dot.gflops_per_s)} GFLOP/s, ${short(dot.gb_per_s)} GB/s${roofline}`,
  ];
  const place = `cx="${x(intensity(dot))}" cy="${y(dot.gflops_per_s)}" r="${round(radius)}"`;
  return `<circle ${place} fill="${colorOf(dot.kernel, profile)}"><title>${escaped(tooltip.join('\n'))}</title></circle>`;
}

/** The kernels, the longest first, with their shares of the time. */
function legend(profile: Profile): string {
  return profile.kernels
    .map(({ kernel, share, dispatches }, i) => {
      const top = PLOT.top + 8 + 22 * i;
      const text = `${kernel}  ${(100 * share).toFixed(1)}%  (${dispatches})`;
      return (
        `<circle cx="${PLOT.right + 26}" cy="${top}" r="6" fill="${colorOf(kernel, profile)}" fill-opacity="0.7"/>` +
        label(PLOT.right + 40, top + 4, text)
      );
    })
    .join('\n');
}

function colorOf(kernel: string, { kernels }: Profile): string {
  const i = kernels.findIndex((one) => one.kernel === kernel);
  return COLORS[Math.min(i, COLORS.length - 1)]!;
}

/** A power of ten, written out. */
function decimal(value: number): string {
  return value >= 1 ? value.toFixed(0) : value.toFixed(Math.round(-Math.log10(value)));
}
