// Places in a picture: a row for each input block and the output block that reads it, so that skips are level lines;
// each level nearer to the middle than the one above, so that the whole is a U.

import type { Box, Chip, Picture, Row } from './picture.ts';

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedChip extends Rect {
  readonly chip: Chip;
}

export interface PlacedBox extends Rect {
  readonly box: Box;
  readonly chips: readonly PlacedChip[];
  /** Where the way through the model enters and leaves. */
  readonly anchor: number;
}

export interface PlacedRow {
  readonly row: Row;
  readonly left: PlacedBox;
  readonly right: PlacedBox | null;
}

/** Rows of one size. */
export interface Band extends Rect {
  readonly size: string;
  readonly depth: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly bands: readonly Band[];
  readonly rows: readonly PlacedRow[];
  readonly middle: PlacedBox;
  readonly head: PlacedBox;
  readonly conditions: readonly PlacedChip[];
  readonly input: { readonly x: number; readonly y: number };
  /** Where bars of cost begin: to the left of the one, to the right of the other. Two graphs side by side have none. */
  readonly bars: { readonly left: number; readonly right: number; readonly longest: number } | null;
  readonly legend: number;
}

export const CHIP = { height: 26, gap: 5 };
const ROW = 38;
const COLUMN = { label: 92, bar: 64, percent: 40, chip: 108 };
const TOP = 156;
const BAND = { gap: 10, pad: 9 };
/** The least room for a skip's line and its number. */
const SKIP = 92;
/** Letters of sizes and of the title beside those of 12 pixels. */
const SIZE_FONT = 1.25;
const TITLE_FONT = 1.75;
/** What the line of signs below takes. */
const LEGEND = 820;

/** Gives every part its place, in pixels from the upper left. */
export function layOut(picture: Picture): Layout {
  const { rows, middle, head, conditions } = picture;
  const deepest = Math.max(...rows.map(({ depth }) => depth));
  const barred = !picture.compared;
  const [most, all] = barred ? [56, 190] : [34, 120];
  const step = deepest === 0 ? 0 : Math.max(22, Math.min(most, all / deepest));
  const sizes = Math.max(...rows.map(({ size }) => SIZE_FONT * textWidth(size)));
  const start = Math.max(COLUMN.label, sizes + 8) + 24 + (barred ? COLUMN.percent + COLUMN.bar : 0);
  const leftOf = (depth: number): number => start + step * depth;
  const inner = Math.max(...rows.map(({ depth, left }) => leftOf(depth) + boxWidth(left)));
  const center = Math.max(inner + SKIP / 2, leftOf(deepest) + COLUMN.chip / 2 + boxWidth(middle) / 2 + 30);
  const rightOf = (depth: number): number => 2 * center - leftOf(depth) - COLUMN.chip;

  const bands: Band[] = [];
  const tops: number[] = [];
  let y = TOP;
  for (const [i, { depth, size }] of rows.entries()) {
    if (rows[i - 1]?.depth !== depth) {
      y += i === 0 ? 0 : BAND.gap + BAND.pad;
      bands.push({ x: 12, y: y - BAND.pad, width: 0, height: BAND.pad, size, depth });
    }
    tops.push(y);
    y += ROW;
    const band = bands.at(-1)!;
    bands[bands.length - 1] = { ...band, height: y - (ROW - CHIP.height) + BAND.pad - band.y };
  }
  const placed = rows.map((row, i): PlacedRow => {
    const top = tops[i]!;
    return {
      row,
      left: placeBox(row.left, leftOf(row.depth), top),
      right: row.right && placeBox(row.right, rightOf(row.depth), top),
    };
  });
  const headBox = placeBox(head, rightOf(0), TOP - 62);
  const outer = Math.max(
    headBox.x + headBox.width,
    ...placed.flatMap(({ right }) => (right ? right.x + right.width : [])),
  );
  const barsRight = outer + 22;
  const headline = Math.max(TITLE_FONT * textWidth(picture.title), textWidth(picture.subtitle)) + 36;
  const drawn = barred ? Math.max(LEGEND, barsRight + COLUMN.bar + COLUMN.percent + 14) : barsRight;
  const width = Math.max(drawn, headline);
  const middleTop = y + BAND.gap;
  const bottom = bands.at(-1)!;
  bands[bands.length - 1] = { ...bottom, height: middleTop + CHIP.height + BAND.pad - bottom.y };
  const chips = placeChips(conditions, 0, TOP - 62);
  const shift = center - chips.width / 2;
  return {
    width,
    height: middleTop + CHIP.height + 64,
    bands: bands.map((band) => ({ ...band, width: width - 24 })),
    rows: placed,
    middle: placeBox(middle, center - boxWidth(middle) / 2, middleTop),
    head: headBox,
    conditions: chips.placed.map((chip) => ({ ...chip, x: chip.x + shift })),
    input: { x: leftOf(0), y: TOP - 62 },
    bars: barred ? { left: start - 18, right: barsRight, longest: COLUMN.bar } : null,
    legend: middleTop + CHIP.height + 40,
  };
}

/** The width of a label of 12 pixels, near enough for any sans-serif. */
export function textWidth(text: string): number {
  return [...text].reduce((sum, c) => sum + (/[→↓↑×]/.test(c) ? 11 : /[ .il1]/.test(c) ? 5 : 7.4), 0);
}

function chipWidth({ kind, label }: Chip): number {
  const least = kind === 'attention' || kind === 'upsample' || kind === 'time' ? 0 : COLUMN.chip;
  return Math.max(least, Math.ceil(textWidth(label)) + 18);
}

function boxWidth({ chips }: Box): number {
  return chips.reduce((sum, chip) => sum + chipWidth(chip), CHIP.gap * (chips.length - 1));
}

function placeChips(chips: readonly Chip[], x: number, y: number) {
  let at = x;
  const placed = chips.map((chip): PlacedChip => {
    const width = chipWidth(chip);
    const here = { chip, x: at, y, width, height: CHIP.height };
    at += width + CHIP.gap;
    return here;
  });
  return { placed, width: at - CHIP.gap - x };
}

function placeBox(box: Box, x: number, y: number): PlacedBox {
  const { placed, width } = placeChips(box.chips, x, y);
  return { box, chips: placed, x, y, width, height: CHIP.height, anchor: x + COLUMN.chip / 2 };
}
