// Many pictures on one: a grid with gaps, enlarged by a whole factor so that small samples can be seen, labels below.

import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphPixel } from './font.ts';
import type { Pixels } from './pixels.ts';

/** A picture of the sheet and what is written below it, such as its class. */
export interface SheetItem {
  readonly pixels: Pixels;
  readonly label?: string;
}

export interface SheetOptions {
  /** Pictures in a row; where not given, about a square of them with full rows. */
  readonly columns?: number;
  /** Whole factor of enlargement; where not given, one that makes a picture about 96 pixels wide. */
  readonly scale?: number;
  /** Pixels between pictures and around them. */
  readonly gap?: number;
}

const PAPER = 32;
const INK = 224;

/** One picture of all items, row by row in their order. Cells take the size of the largest picture. */
export function contactSheet(items: readonly SheetItem[], options: SheetOptions = {}): Pixels {
  const largest = (size: (p: Pixels) => number) => Math.max(1, ...items.map(({ pixels }) => size(pixels)));
  const cellWidth = largest((p) => p.width);
  const cellHeight = largest((p) => p.height);
  const scale = options.scale ?? Math.max(1, Math.round(96 / cellWidth));
  const gap = options.gap ?? 8;
  const columns = Math.max(1, Math.min(options.columns ?? fullRows(items.length), items.length));
  const rows = Math.ceil(items.length / columns);
  const letters = cellWidth * scale >= 64 ? 2 : 1;
  const labelled = items.some(({ label }) => label !== undefined);
  const stepX = cellWidth * scale + gap;
  const stepY = cellHeight * scale + gap + (labelled ? (GLYPH_HEIGHT + 2) * letters : 0);
  const channels = items.some(({ pixels }) => pixels.channels === 3) ? 3 : 1;
  const width = gap + columns * stepX;
  const height = gap + rows * stepY;
  const data = new Uint8Array(width * height * channels).fill(PAPER);
  const sheet = { width, height, channels, data } as const;
  for (const [i, { pixels, label }] of items.entries()) {
    const x = gap + (i % columns) * stepX;
    const y = gap + Math.floor(i / columns) * stepY;
    drawPicture(sheet, pixels, x, y, scale);
    if (label !== undefined)
      drawLabel(sheet, label, x, y + cellHeight * scale + 2 * letters, cellWidth * scale, letters);
  }
  return sheet;
}

/** Columns, from a square's up to twice as many, that leave the fewest cells of the last row empty. */
function fullRows(count: number): number {
  const square = Math.ceil(Math.sqrt(count));
  const choices = Array.from({ length: square + 1 }, (_, i) => square + i);
  const empty = (columns: number) => (columns - (count % columns)) % columns;
  return choices.reduce((best, columns) => (empty(columns) < empty(best) ? columns : best), square);
}

function drawPicture(
  sheet: Pixels,
  { width, height, channels, data }: Pixels,
  left: number,
  top: number,
  scale: number,
) {
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
      const to = ((top + y) * sheet.width + left + x) * sheet.channels;
      for (let c = 0; c < sheet.channels; c++) sheet.data[to + c] = data[from + Math.min(c, channels - 1)]!;
    }
  }
}

/** Text centred below a picture; what is too long for it is cut. */
function drawLabel(sheet: Pixels, text: string, left: number, top: number, room: number, scale: number) {
  const advance = (GLYPH_WIDTH + 1) * scale;
  const shown = [...text].slice(0, Math.max(1, Math.floor((room + scale) / advance)));
  const start = left + Math.max(0, Math.floor((room - shown.length * advance + scale) / 2));
  for (const [i, character] of shown.entries()) {
    for (let y = 0; y < GLYPH_HEIGHT * scale; y++) {
      for (let x = 0; x < GLYPH_WIDTH * scale; x++) {
        if (!glyphPixel(character, Math.floor(x / scale), Math.floor(y / scale))) continue;
        const column = start + i * advance + x;
        if (column >= sheet.width) continue;
        const to = ((top + y) * sheet.width + column) * sheet.channels;
        sheet.data.fill(INK, to, to + sheet.channels);
      }
    }
  }
}
