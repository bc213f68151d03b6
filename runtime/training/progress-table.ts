// `progress.csv`: what a run of training logs, with the original's keys, means and quartiles. Columns come as they are first
// seen, new ones sorted among themselves behind the old; then the header is written anew and older rows are filled up.
//
//   loss, mse, vb: means over the microbatches since the last row;   loss_q0 … loss_q3: means over samples by ⌊4 t / T⌋
//
// Source: improved-diffusion, logger.py (logkv_mean, CSVOutputFormat) and train_util.py (log_loss_dict).

/** Running means by key, since the last row. */
export type Means = ReadonlyMap<string, { readonly mean: number; readonly count: number }>;

/** With one more value of a key. */
export function withValue(means: Means, key: string, value: number): Means {
  return new Map([...means, [key, grown(means.get(key), value)]]);
}

/**
 * With the terms of a microbatch, each sample's times the weight of its timestep.
 * @param terms by name (`loss`, `mse`, `vb`), a value a sample
 * @param steps of the process
 */
export function withTerms(
  means: Means,
  timesteps: ArrayLike<number>,
  steps: number,
  terms: Readonly<Record<string, ArrayLike<number>>>,
): Means {
  const after = new Map(means);
  const add = (key: string, value: number) => after.set(key, grown(after.get(key), value));
  for (const [name, values] of Object.entries(terms)) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i]!;
    add(name, sum / values.length);
    for (let i = 0; i < values.length; i++) {
      add(`${name}_q${Math.floor((4 * timesteps[i]!) / steps)}`, values[i]!);
    }
  }
  return after;
}

function grown(before: { readonly mean: number; readonly count: number } | undefined, value: number) {
  const { mean, count } = before ?? { mean: 0, count: 0 };
  return { mean: (mean * count + value) / (count + 1), count: count + 1 };
}

/** A table as its file has it: texts, empty where a row has no value. */
export interface ProgressTable {
  readonly keys: readonly string[];
  /** Each as long as `keys`, or shorter where columns came later. */
  readonly rows: readonly (readonly string[])[];
}

/** What a row does to the file: a line more under the same header, or the whole anew under a longer one. */
export interface AddedRow {
  readonly table: ProgressTable;
  readonly write:
    | { readonly kind: 'append'; readonly line: string }
    | { readonly kind: 'rewrite'; readonly text: string };
}

export const EMPTY_TABLE: ProgressTable = { keys: [], rows: [] };

/** A row more. Means are given as their values. */
export function addRow(table: ProgressTable, values: ReadonlyMap<string, number>): AddedRow {
  const known = new Set(table.keys);
  const fresh = [...values.keys()].filter((key) => !known.has(key)).sort();
  const keys = [...table.keys, ...fresh];
  const row = keys.map((key) => {
    const value = values.get(key);
    return value === undefined ? '' : numberText(value);
  });
  const after = { keys, rows: [...table.rows, row] };
  if (fresh.length > 0) return { table: after, write: { kind: 'rewrite', text: formatTable(after) } };
  return { table: after, write: { kind: 'append', line: `${row.join(',')}\n` } };
}

export function formatTable({ keys, rows }: ProgressTable): string {
  const lines = rows.map((row) => [...row, ...Array<string>(keys.length - row.length).fill('')].join(','));
  return [keys.join(','), ...lines].map((line) => `${line}\n`).join('');
}

/** The table of a file's text; a last line that is cut short is left out. What is wrong with it as text, else. */
export function parseTable(text: string): ProgressTable | string {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [header = '', ...lines] = whole.split('\n').slice(0, -1);
  const keys = header === '' ? [] : header.split(',');
  if (new Set(keys).size !== keys.length) return 'its header names a column twice';
  const rows = lines.map((line) => line.split(','));
  const odd = rows.findIndex((row) => row.length !== keys.length);
  if (odd < 0) return { keys, rows };
  return `line ${odd + 2} has ${rows[odd]!.length} values under ${keys.length} columns`;
}

/** The rows of steps before `step`, with the columns that they have: what a run that goes on from there has logged already. */
export function rowsBefore({ keys, rows }: ProgressTable, step: number): ProgressTable {
  const column = keys.indexOf('step');
  const before = rows.filter((row) => column >= 0 && Number(row[column]) < step);
  const kept = keys.map((_, k) => before.some((row) => (row[k] ?? '') !== ''));
  return { keys: keys.filter((_, k) => kept[k]), rows: before.map((row) => row.filter((_, k) => kept[k])) };
}

/** As Python prints what is no finite number. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}
