// `progress.csv` on disk: a line a row, written anew where a row brings columns, cut back to where a run goes on.

import fs from 'node:fs';
import path from 'node:path';
import { decodeUtf8, fault, type Origin } from '../../runtime/bytes.ts';
import { pathKind, readFile, writeFile } from '../../runtime/host/node/files.ts';
import { guarded } from '../../runtime/host/node/system-faults.ts';
import {
  addRow,
  EMPTY_TABLE,
  formatTable,
  type ProgressTable,
  parseTable,
  rowsBefore,
} from '../../runtime/training/progress-table.ts';

export const PROGRESS_FILE = 'progress.csv';

export interface ProgressFile {
  table(): ProgressTable;
  add(row: ReadonlyMap<string, number>): void;
  /** What was added is on the disk when this returns. */
  sync(): void;
}

/**
 * The log of a run that goes on with step `position`: later rows are cut off, for they come again.
 * Throws RuntimeError('output') where the file is no such table.
 */
export function openProgress(out: string, position: number): ProgressFile {
  const file = path.join(out, PROGRESS_FILE);
  const origin: Origin = { kind: 'output', label: file };
  let table = EMPTY_TABLE;
  // one that cannot be looked at is not one that is missing: reading it says what is wrong
  if (pathKind(file) !== 'missing') {
    const text = decodeUtf8(readFile(origin)) ?? '';
    const found = parseTable(text);
    if (typeof found === 'string') throw fault(origin, `${found}; mend the line, or remove the file`);
    table = rowsBefore(found, position);
    // a table without rows is one that its first row begins anew
    if (table.rows.length === 0) {
      table = EMPTY_TABLE;
      guarded(origin, () => fs.rmSync(file));
    } else if (formatTable(table) !== text) writeFile(file, formatTable(table));
  }
  const withHandle = (use: (fd: number) => void) =>
    guarded(origin, () => {
      const fd = fs.openSync(file, 'a');
      try {
        use(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  return {
    table: () => table,
    add(row) {
      const added = addRow(table, row);
      table = added.table;
      const { write } = added;
      if (write.kind === 'rewrite') writeFile(file, write.text);
      else withHandle((fd) => fs.writeFileSync(fd, write.line));
    },
    sync() {
      if (table.rows.length > 0) withHandle((fd) => fs.fsyncSync(fd));
    },
  };
}
