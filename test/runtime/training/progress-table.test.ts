// progress.csv as the original writes it: means, quartiles, a header that grows, and rows that a resumed run keeps.

import { describe, expect, test } from 'vitest';
import {
  addRow,
  EMPTY_TABLE,
  formatTable,
  type ProgressTable,
  parseTable,
  rowsBefore,
  withTerms,
  withValue,
} from '../../../runtime/training/progress-table.ts';

const values = (entries: Readonly<Record<string, number>>) => new Map(Object.entries(entries));

describe('means', () => {
  test('totals are means over microbatches, quartiles over samples', () => {
    let means = withTerms(new Map(), [0, 3, 7], 8, { loss: [1, 2, 6], mse: [1, 1, 1] });
    means = withTerms(means, [7], 8, { loss: [10] });
    means = withValue(means, 'grad_norm', 0.5);
    expect(Object.fromEntries([...means].map(([key, { mean }]) => [key, mean]))).toEqual({
      ...{ loss: (3 + 10) / 2, loss_q0: 1, loss_q1: 2, loss_q3: 8 },
      ...{ mse: 1, mse_q0: 1, mse_q1: 1, mse_q3: 1, grad_norm: 0.5 },
    });
  });

  test('the last timestep is in the last quartile', () => {
    const means = withTerms(new Map(), [0, 999, 1000, 3999], 4000, { loss: [1, 2, 3, 4] });
    expect([...means.keys()]).toEqual(['loss', 'loss_q0', 'loss_q1', 'loss_q3']);
    expect(means.get('loss_q0')).toEqual({ mean: 1.5, count: 2 });
  });
});

describe('the table', () => {
  test('columns come sorted when they are first seen; older rows are filled up', () => {
    const first = addRow(EMPTY_TABLE, values({ step: 0, loss: 1, grad_norm: 0.25 }));
    expect(first.write).toEqual({ kind: 'rewrite', text: 'grad_norm,loss,step\n0.25,1,0\n' });
    const second = addRow(first.table, values({ loss: 0.5, step: 10, grad_norm: 1e-7 }));
    expect(second.write).toEqual({ kind: 'append', line: '1e-7,0.5,10\n' });
    const third = addRow(
      second.table,
      values({ step: 20, loss_q3: 3, loss: Number.NaN, a: Number.NEGATIVE_INFINITY }),
    );
    expect(third.write).toEqual({
      kind: 'rewrite',
      text: 'grad_norm,loss,step,a,loss_q3\n0.25,1,0,,\n1e-7,0.5,10,,\n,nan,20,-inf,3\n',
    });
  });

  test('is read again as it was written; a line that was cut off is left out', () => {
    const text = 'loss,step,vb\n1,0,\n2,10,3\n';
    expect(formatTable(parseTable(text) as ProgressTable)).toBe(text);
    expect(parseTable(`${text}4,2`)).toEqual(parseTable(text));
    expect(parseTable('')).toEqual(EMPTY_TABLE);
    expect(parseTable('a,b\n1\n')).toBe('line 2 has 1 values under 2 columns');
    expect(parseTable('a,a\n')).toBe('its header names a column twice');
  });

  test('a run that goes on keeps the rows before its step', () => {
    const table = parseTable('loss,step\n1,0\n2,10\n3,20\n') as ProgressTable;
    expect(formatTable(rowsBefore(table, 20))).toBe('loss,step\n1,0\n2,10\n');
    expect(rowsBefore(parseTable('loss\n1\n') as ProgressTable, 5).rows).toEqual([]);
  });
});
