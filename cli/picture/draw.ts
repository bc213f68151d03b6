// Draws a laid-out picture as SVG: bands of one size, the way down and up, skips, chips, bars of cost.

import { escaped, label, round } from '../../engine/plot/svg.ts';
import {
  CHIP,
  type Layout,
  layOut,
  type PlacedBox,
  type PlacedChip,
  type PlacedRow,
  textWidth,
} from './layout.ts';
import {
  type ChipKind,
  describePicture,
  type Mark,
  type Picture,
  type PictureSide,
  percent,
} from './picture.ts';
import { styleSheet } from './style.ts';

/** An SVG that stands alone; hovering over a layer tells what it is and costs. */
export function graphPicture(side: PictureSide): string {
  const { width, height, content } = drawPicture(side, 'unet');
  return `<svg xmlns="http://www.w3.org/2000/svg" class="unet" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(side.title ?? side.graph.name)}">
<style>${styleSheet('svg')}</style>
<rect class="paper" width="${width}" height="${height}"/>
${content}
</svg>
`;
}

/** The same without the sheet, for a page that has it; `id` keeps names of two pictures apart. */
export function drawPicture(side: PictureSide, id: string) {
  const picture = describePicture(side);
  const layout = layOut(picture);
  const width = Math.ceil(layout.width);
  const height = Math.ceil(layout.height);
  const arrow = `${id}-arrow`;
  const content = [
    `<defs><marker id="${arrow}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="tip-of-arrow" d="M0 .8 7.4 4 0 7.2z"/></marker></defs>`,
    text(18, 34, picture.title, 'title'),
    text(18, 56, picture.subtitle, 'muted'),
    ...layout.bands.map(
      ({ x, y, width, height, size, depth }) =>
        `<rect class="band" x="${x}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="10"/>` +
        text(24, y + height / 2 + (height > 50 ? 0 : 5), size, 'size') +
        (height > 50
          ? text(24, y + height / 2 + 16, depth === 0 ? 'full size' : `1 / ${2 ** depth}`, 'muted')
          : ''),
    ),
    ways(layout, arrow),
    `<g class="${picture.compared ? 'compared' : 'alone'}">`,
    ...layout.rows.map((row) => drawRow(row, layout, largestShare(picture))),
    drawBox(layout.middle),
    bar(layout.middle, layout, largestShare(picture), 'left'),
    drawBox(layout.head),
    bar(layout.head, layout, largestShare(picture), 'right'),
    ...layout.conditions.map(drawChip),
    '</g>',
    ends(picture, layout),
    legend(picture, layout.legend),
  ].join('\n');
  return { width, height, content };
}

function largestShare({ rows, middle, head }: Picture): number {
  return Math.max(
    ...[...rows.flatMap(({ left, right }) => [left, right ?? []].flat()), middle, head].map(
      ({ share }) => share,
    ),
  );
}

/** The way through the model: down, through the middle, up. */
function ways({ rows, middle, head, input }: Layout, arrow: string): string {
  const paths: string[] = [];
  const add = (d: string): void => {
    paths.push(`<path class="way" d="${d}" marker-end="url(#${arrow})"/>`);
  };
  const [top, bottom] = [rows[0]!, rows.at(-1)!];
  add(curve(top.left.anchor, input.y + CHIP.height, top.left.anchor, top.left.y));
  for (const [i, { left, right }] of rows.entries()) {
    const next = rows[i + 1];
    if (!next) continue;
    add(curve(left.anchor, left.y + CHIP.height, next.left.anchor, next.left.y));
    if (right && next.right) add(curve(next.right.anchor, next.right.y, right.anchor, right.y + CHIP.height));
  }
  const half = middle.y + CHIP.height / 2;
  const { anchor: from, y } = bottom.left;
  add(`M${round(from)} ${round(y + CHIP.height)}V${round(half - 8)}q0 8 8 8H${round(middle.x - 1)}`);
  const next = bottom.right ?? head;
  const { anchor: to } = next;
  add(
    `M${round(middle.x + middle.width)} ${round(half)}H${round(to - 8)}q8 0 8 -8V${round(next.y + CHIP.height + 1)}`,
  );
  if (top.right) add(curve(top.right.anchor, top.right.y, head.anchor, head.y + CHIP.height));
  return paths.join('\n');
}

/** A line from one row to another, bent where the level moves. */
function curve(x1: number, y1: number, x2: number, y2: number): string {
  const half = (y1 + y2) / 2;
  return x1 === x2
    ? `M${round(x1)} ${round(y1)}V${round(y2)}`
    : `M${round(x1)} ${round(y1)}C${round(x1)} ${round(half)} ${round(x2)} ${round(half)} ${round(x2)} ${round(y2)}`;
}

function drawRow({ row, left, right }: PlacedRow, layout: Layout, largest: number): string {
  const y = left.y + CHIP.height / 2;
  if (!right) return `<g class="row">${drawBox(left)}${bar(left, layout, largest, 'left')}</g>`;
  const [from, to] = [left.x + left.width + 6, right.x - 6];
  const tip = `${left.box.path} → ${right.box.path}\nskip of ${row.channels} channels, ${row.size}`;
  return [
    '<g class="row">',
    `<g><title>${escaped(tip)}</title><line class="skip" x1="${round(from)}" y1="${round(y)}" x2="${round(to)}" y2="${round(y)}"/>`,
    `${text((from + to) / 2, y + 4, String(row.channels), 'channels', 'text-anchor="middle"')}</g>`,
    drawBox(left),
    bar(left, layout, largest, 'left'),
    drawBox(right),
    bar(right, layout, largest, 'right'),
    '</g>',
  ].join('');
}

function drawBox({ chips }: PlacedBox): string {
  return chips.map(drawChip).join('');
}

function drawChip({ chip, x, y, width, height }: PlacedChip): string {
  const { kind, label, mark, path, tip } = chip;
  const corner = kind === 'time' ? height / 2 : 6;
  return [
    `<g class="chip ${kind}${mark ? ` ${mark}` : ''}" data-path="${escaped(path)}"><title>${escaped(tip.join('\n'))}</title>`,
    `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" rx="${corner}"/>`,
    text(x + width / 2, y + height / 2 + 4, label, '', 'text-anchor="middle"'),
    mark ? badge(x, y, mark) : '',
    '</g>',
  ].join('');
}

/** A sign that tells a mark without its colour. */
function badge(x: number, y: number, mark: Mark): string {
  const sign = { added: '+', removed: '−', changed: '~' }[mark];
  return `<circle class="badge-back" cx="${round(x)}" cy="${round(y)}" r="7.5"/>${text(x, y + 4, sign, 'badge')}`;
}

/** A block's share of the multiply-accumulates, beside its row. */
function bar({ box, y }: PlacedBox, { bars }: Layout, largest: number, side: 'left' | 'right'): string {
  if (bars === null) return '';
  const length = Math.max(1, (bars.longest * box.share) / largest);
  const x = side === 'left' ? bars.left - length : bars.right;
  const said = side === 'left' ? bars.left - length - 6 : bars.right + length + 6;
  const middle = y + CHIP.height / 2;
  return [
    `<g class="bar-of"><title>${escaped(box.tip.join('\n'))}</title>`,
    `<rect class="bar" x="${round(x)}" y="${round(middle - 6)}" width="${round(length)}" height="12" rx="2"/>`,
    text(said, middle + 4, percent(box.share), 'muted', side === 'left' ? 'text-anchor="end"' : ''),
    '</g>',
  ].join('');
}

/** What goes in, what comes out, and what the bars mean. */
function ends({ inputs, output }: Picture, { input: at, head, bars, conditions }: Layout): string {
  const first = conditions[0]!;
  const last = conditions.at(-1)!;
  const middle = (first.x + last.x + last.width) / 2;
  return [
    ...inputs.toReversed().map((line, i) => text(at.x, at.y + 17 - 20 * i, line, 'size')),
    text(head.x, head.y - 9, output, 'size'),
    text(middle, first.y - 8, 'read by every res block', 'muted', 'text-anchor="middle"'),
    bars === null ? '' : text(bars.left, at.y + 17, 'share of cost', 'muted', 'text-anchor="end"'),
  ].join('\n');
}

const LEGEND: readonly (readonly [ChipKind, string])[] = [
  ['res_block', 'residual block'],
  ['attention', 'attention × heads'],
  ['downsample', 'resampling'],
  ['conv', 'convolution'],
  ['time', 'conditioning'],
];

function legend({ compared }: Picture, y: number): string {
  let x = 24;
  const entry = (width: number, sign: (x: number) => string, words: string): string => {
    const drawn = sign(x) + text(x + width + 7, y, words, 'muted');
    x += width + 7 + 0.9 * textWidth(words) + 20;
    return drawn;
  };
  if (compared) {
    const marks = (['added', 'removed', 'changed'] as const).map((mark) =>
      entry(15, (at) => `<g class="chip ${mark}">${badge(at + 7.5, y - 4, mark)}</g>`, mark),
    );
    return marks.join('\n');
  }
  const kinds = LEGEND.map(([kind, words]) => {
    const sign = (at: number) =>
      `<g class="chip ${kind}"><rect x="${round(at)}" y="${round(y - 10)}" width="20" height="12" rx="3"/></g>`;
    return entry(20, sign, words);
  });
  const line = (at: number) =>
    `<line class="skip" x1="${round(at)}" y1="${round(y - 4)}" x2="${round(at + 26)}" y2="${round(y - 4)}"/>`;
  return [...kinds, entry(26, line, 'skip, with its channels')].join('\n');
}

function text(x: number, y: number, words: string, name: string, attributes = ''): string {
  return label(x, y, words, [name === '' ? '' : `class="${name}"`, attributes].join(' ').trim());
}
