// Tables in text and in Markdown from the same cells.

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

type Rows = readonly (readonly string[])[];

/** Columns two spaces apart, titles above; no line ends in spaces. */
export function textTable(columns: readonly Column[], rows: Rows): string {
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, i) => Math.max(...[titles, ...rows].map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, i) =>
        align === 'left' ? (row[i] ?? '').padEnd(widths[i]!) : (row[i] ?? '').padStart(widths[i]!),
      )
      .join('  ')
      .trimEnd();
  return [titles, ...rows].map((row) => `${line(row)}\n`).join('');
}

/** A table of GitHub's Markdown. */
export function markdownTable(columns: readonly Column[], rows: Rows): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const escaped = (text: string): string => text.replaceAll('|', '\\|');
  const rule = columns.map(({ align }) => (align === 'left' ? '---' : '---:'));
  const body = rows.map((row) => line(columns.map((_, i) => escaped(row[i] ?? ''))));
  return [line(columns.map(({ title }) => escaped(title))), line(rule), ...body].join('');
}

/** A number with three significant digits and no exponent, `-` for what is not known. */
export function short(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '-';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}
