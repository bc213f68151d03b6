// A drift as a plot: a column for each block in the order they are computed, on a logarithmic scale.

import type { DriftResult } from '../../engine/drift/drift.ts';
import { escaped, label, round } from '../../engine/plot/svg.ts';
import { DECADES, onScale, scientific, verdict } from './table.ts';

const PLOT = { left: 62, top: 112, height: 280, width: 740 };
const LABELS = 96;

/** Okabe and Ito's colours, which colour-blind readers tell apart. */
const ROLES = [
  { begins: 'input', words: 'way down', color: '#0072b2' },
  { begins: 'middle', words: 'middle', color: '#cc79a7' },
  { begins: 'output_', words: 'way up', color: '#009e73' },
  { begins: 'output', words: 'output', color: '#e69f00' },
] as const;

/** An SVG that stands alone; a column's tooltip says its numbers. */
export function driftPlot(result: DriftResult): string {
  const { blocks, first, a, b } = result;
  const column = columnOf(result);
  const right = PLOT.left + column * blocks.length;
  const width = Math.max(right, PLOT.left + PLOT.width) + 24;
  const [where, ...why] = verdict(result).split(/(?<=: )/);
  const bottom = PLOT.top + PLOT.height;
  const height = bottom + LABELS + 34;
  const y = (share: number): number => round(bottom - PLOT.height * share);
  const lines = Array.from({ length: DECADES / 2 + 1 }, (_, i) => {
    const share = (2 * i) / DECADES;
    const value = `1e-${DECADES - 2 * i}`;
    return `<path d="M${PLOT.left} ${y(share)}H${right}" stroke="#e3e6ea"/>${label(PLOT.left - 8, y(share) + 4, value === '1e-0' ? '1' : value, 'text-anchor="end" fill="#667382"')}`;
  });
  const columns = blocks.map(({ path, shape, relative_l2, largest }, i) => {
    const x = PLOT.left + column * i;
    const top = y(Math.max(0.004, onScale(relative_l2)));
    const tip = `${path} [${shape.join(', ')}]\nrelative L2 ${scientific(relative_l2)}, largest ${scientific(largest)}`;
    const weight = path === first?.path ? 'font-weight="700"' : 'fill="#667382"';
    return [
      `<g><title>${escaped(tip)}</title>`,
      `<rect x="${x + 3}" y="${top}" width="${column - 6}" height="${round(bottom - top)}" rx="2" fill="${colorOf(path)}" fill-opacity="${path === first?.path ? 1 : 0.62}"/>`,
      label(
        0,
        0,
        path,
        `text-anchor="end" transform="translate(${x + column / 2 + 4} ${bottom + 10}) rotate(-60)" ${weight}`,
      ),
      '</g>',
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif" font-size="11" fill="#1c2530">
<rect width="${width}" height="${height}" fill="#fff"/>
${label(18, 30, `Drift from ${a.model} to ${b.model}`, 'font-size="17" font-weight="600"')}
${label(18, 52, where!, 'font-size="12"')}
${label(18, 70, why.join(''), 'fill="#667382"')}
${label(18, 96, 'relative L2 of each block', 'fill="#667382"')}
${lines.join('\n')}
${columns.join('\n')}
${marker(result, bottom)}
${legend(height - 14)}
</svg>
`;
}

/** Columns fill the plot where they are few, and widen it where they are many. */
function columnOf({ blocks }: DriftResult): number {
  return Math.max(20, Math.min(56, Math.floor(PLOT.width / blocks.length)));
}

/** A line where the two part. */
function marker(result: DriftResult, bottom: number): string {
  const { blocks, first } = result;
  const at = blocks.findIndex(({ path }) => path === first?.path);
  if (at < 0) return '';
  const x = PLOT.left + columnOf(result) * at;
  return `<path d="M${x} ${PLOT.top - 6}V${bottom}" stroke="#d03545" stroke-width="1.5" stroke-dasharray="4 3"/>`;
}

function legend(y: number): string {
  return ROLES.map(
    ({ words, color }, i) =>
      `<rect x="${PLOT.left + 100 * i}" y="${y - 9}" width="12" height="12" rx="2" fill="${color}" fill-opacity="0.62"/>${label(PLOT.left + 100 * i + 18, y + 1, words)}`,
  ).join('');
}

function colorOf(path: string): string {
  return ROLES.find(({ begins }) => path.startsWith(begins))!.color;
}
