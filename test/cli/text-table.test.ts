import { expect, test } from 'vitest';
import { markdownTable, short, textTable } from '../../cli/text-table.ts';

const COLUMNS = [
  { title: 'name', align: 'left' },
  { title: 'ms', align: 'right' },
] as const;

test('text: columns as wide as their widest cell, no spaces at the ends', () => {
  const rows = [['a long name', '1.5'], ['b', '1000'], ['absent']];
  expect(textTable(COLUMNS, rows)).toBe('name           ms\na long name   1.5\nb            1000\nabsent\n');
});

test('Markdown: missing cells are empty, bars are escaped', () => {
  expect(markdownTable(COLUMNS, [['a|b', '1'], ['c']])).toBe(
    '| name | ms |\n| --- | ---: |\n| a\\|b | 1 |\n| c |  |\n',
  );
});

test.each([
  [0, '0'],
  [0.01234, '0.0123'],
  [1.2345, '1.23'],
  [99.96, '100.0'],
  [123.4, '123'],
  [45678.9, '45679'],
  [1e-9, '0.000000'],
  [null, '-'],
  [Number.POSITIVE_INFINITY, '-'],
])('%s is written %s', (value, text) => expect(short(value)).toBe(text));
