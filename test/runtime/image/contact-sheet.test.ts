import { describe, expect, test } from 'vitest';
import { contactSheet } from '../../../runtime/image/contact-sheet.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphPixel } from '../../../runtime/image/font.ts';
import type { Pixels } from '../../../runtime/image/pixels.ts';

const grey = (value: number, width = 2, height = 2): Pixels => ({
  width,
  height,
  channels: 1,
  data: new Uint8Array(width * height).fill(value),
});

/** The picture as rows of characters: `.` paper, `#` ink, letters for the values given. */
function drawn(
  { width, height, channels, data }: Pixels,
  values: Readonly<Record<number, string>> = {},
): string[] {
  const signs: Readonly<Record<number, string>> = { 32: '.', 224: '#', ...values };
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => signs[data[(y * width + x) * channels]!] ?? '?').join(''),
  );
}

/** A character of the font as rows. */
function glyph(character: string): string {
  return Array.from({ length: GLYPH_HEIGHT }, (_, y) =>
    Array.from({ length: GLYPH_WIDTH }, (_, x) => (glyphPixel(character, x, y) ? '#' : '.')).join(''),
  ).join('\n');
}

describe('the grid', () => {
  test('row by row, with gaps, enlarged', () => {
    const sheet = contactSheet(
      [1, 2, 3].map((value) => ({ pixels: grey(value) })),
      { columns: 2, scale: 2, gap: 1 },
    );
    expect(drawn(sheet, { 1: 'a', 2: 'b', 3: 'c' })).toEqual([
      '...........',
      ...Array(4).fill('.aaaa.bbbb.'),
      '...........',
      ...Array(4).fill('.cccc......'),
      '...........',
    ]);
  });

  test('cells take the largest size; one colour picture makes the sheet colour', () => {
    const red: Pixels = { width: 1, height: 1, channels: 3, data: Uint8Array.of(9, 0, 0) };
    const sheet = contactSheet([{ pixels: grey(1) }, { pixels: red }], { scale: 1, gap: 1 });
    expect(sheet.channels).toBe(3);
    expect(drawn(sheet, { 1: 'a', 9: 'r' })).toEqual(['.......', '.aa.r..', '.aa....', '.......']);
    expect([...sheet.data.subarray((7 + 4) * 3, (7 + 5) * 3)]).toEqual([9, 0, 0]);
  });

  test.each([
    [1, 1],
    [4, 2],
    [7, 4],
    [10, 5],
    [12, 4],
    [16, 4],
    [17, 6],
  ])('%i pictures stand in %i columns', (count, columns) => {
    const sheet = contactSheet(Array(count).fill({ pixels: grey(1, 1, 1) }), { scale: 1, gap: 0 });
    expect([sheet.width, sheet.height]).toEqual([columns, Math.ceil(count / columns)]);
  });

  test('small pictures are enlarged to be seen, large ones are not, and none is an empty sheet', () => {
    expect(contactSheet([{ pixels: grey(1, 28, 28) }], { gap: 0 }).width).toBe(84);
    expect(contactSheet([{ pixels: grey(1, 256, 256) }], { gap: 0 }).width).toBe(256);
    expect(contactSheet([])).toMatchObject({ channels: 1 });
  });
});

describe('labels', () => {
  test('a digit below its picture', () => {
    const sheet = contactSheet([{ pixels: grey(1, 5, 1), label: '7' }], { scale: 1, gap: 1 });
    expect(drawn(sheet, { 1: 'a' })).toEqual([
      '.......',
      '.aaaaa.',
      '.......',
      '.......',
      '.#####.',
      '.....#.',
      '....#..',
      '...#...',
      '..#....',
      '..#....',
      '..#....',
      '.......',
    ]);
  });

  test('small letters are capitals, what is unknown is a question mark', () => {
    expect(glyph('q')).toBe(glyph('Q'));
    expect(glyph('€')).toBe(glyph('?'));
    expect(new Set([...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -+.,:=#/%_()?'].map(glyph)).size).toBe(50);
  });
});
