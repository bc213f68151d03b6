// Parts of SVG plots: scales, ticks, grids, colours.

import { escaped, round } from './svg.ts';

/** From a value to a place on an axis. */
export type Scale = (value: number) => number;
export type Range = readonly [least: number, greatest: number];

/** Okabe and Ito's colours, which colour-blind readers tell apart. */
export const COLORS = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#f0e442',
  '#666666',
] as const;

/** Behind a label, so that it reads well on lines and dots. */
export const HALO = 'stroke="#fff" stroke-width="3" paint-order="stroke"';

/** An SVG that stands alone; a title, which is read to who does not see it, comes first of all. */
export function svg(width: number, height: number, parts: readonly string[], title?: string): string {
  const first = title === undefined ? '' : `<title>${escaped(title)}</title>\n`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, Helvetica, Arial, sans-serif" font-size="12" fill="#222">
${first}<rect width="${width}" height="${height}" fill="#fff"/>
${parts.filter((part) => part !== '').join('\n')}
</svg>
`;
}

/** Powers of ten around all values. */
export function decades(values: readonly number[]): Range {
  const least = Math.floor(Math.log10(Math.min(...values)));
  const greatest = Math.ceil(Math.log10(Math.max(...values)));
  return [10 ** least, 10 ** Math.max(greatest, least + 1)];
}

export function logScale([least, greatest]: Range, from: number, to: number): Scale {
  const span = Math.log10(greatest / least);
  return (value) => round(from + ((to - from) * Math.log10(value / least)) / span);
}

/** The powers of ten from the least to the greatest. */
export function ticks([least, greatest]: Range): readonly number[] {
  const [first, last] = [Math.ceil(Math.log10(least) - 1e-9), Math.floor(Math.log10(greatest) + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/** Two and five times the powers of ten within a range: for axes of few decades. */
export function halfTicks([least, greatest]: Range): readonly number[] {
  return ticks([least / 10, greatest])
    .flatMap((value) => [2 * value, 5 * value])
    .filter((value) => value >= least && value <= greatest);
}

/** The lines of a logarithmic axis, those of powers of ten darker. */
export function grid(range: Range, scale: Scale, line: (at: number) => string): string {
  const [least, greatest] = range;
  const minor = ticks([least / 10, greatest])
    .flatMap((value) => [2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * value))
    .filter((value) => value > least && value < greatest);
  const path = (values: readonly number[], color: string) =>
    `<path d="${values.map((value) => line(scale(value))).join('')}" stroke="${color}" fill="none"/>`;
  return `${path(minor, '#f1f1f1')}\n${path(ticks(range), '#d8d8d8')}`;
}

/** A number as an axis says it: 0.01, 1, 1000. */
export function decimal(value: number): string {
  return value >= 1 ? String(Number(value.toPrecision(3))) : value.toFixed(Math.round(-Math.log10(value)));
}
