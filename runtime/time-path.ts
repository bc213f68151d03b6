// What the time path of a program came to, row by row: a row depends on its timestep and labels alone, so it is computed
// once, as many rows at a time as the batch has, and copied to where the rest of a pass reads it.

import type { Manifest } from './bundle.ts';
import type { TimeRow } from './model.ts';
import { isRowPort } from './ports.ts';

/** Bytes that remembered rows take at the most. */
const MOST_BYTES = 64 * 2 ** 20;

export interface TimePath {
  /** Computes the rows that are not known yet: all of them, or the first that there is room for. */
  remember(rows: Iterable<TimeRow>): void;
  /** Encodes the copies that give every image of a batch its row; the rows are remembered first. */
  recall(rows: readonly TimeRow[], encoder: GPUCommandEncoder): void;
  /** Forgets all rows: the weights are others now. */
  forget(): void;
  destroy(): void;
}

/** What a time path needs of its program. */
export interface TimePathParts {
  readonly manifest: Pick<Manifest, 'batch' | 'inputs' | 'time_path'>;
  readonly device: GPUDevice;
  buffer(slot: number): GPUBuffer;
  /** Writes the timesteps and labels of a whole batch. */
  write(rows: readonly TimeRow[]): void;
  /** Encodes the dispatches of the time path. */
  encode(encoder: GPUCommandEncoder): void;
}

export function createTimePath({ manifest, device, buffer, write, encode }: TimePathParts): TimePath {
  const { batch } = manifest;
  const values = manifest.time_path.values.map(({ slot, bytes }) => ({
    slot: buffer(slot),
    bytes: bytes / batch,
  }));
  const rowBytes = values.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = Math.max(batch, Math.floor(MOST_BYTES / rowBytes));
  const names = manifest.inputs.filter(isRowPort).map(({ name }) => name);
  const keyOf = (row: TimeRow) => names.map((name) => row[name]).join(' ');
  const known = new Map<string, number>();
  let capacity = 0;
  let table: readonly GPUBuffer[] = [];

  const grow = (rows: number) => {
    known.clear();
    if (rows <= capacity) return;
    for (const old of table) old.destroy();
    capacity = rows;
    table = values.map(({ bytes }, i) =>
      device.createBuffer({
        label: `time path ${i}`,
        size: bytes * capacity,
        usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      }),
    );
  };
  const compute = (rows: readonly TimeRow[]) => {
    write(Array.from({ length: batch }, (_, k) => rows[Math.min(k, rows.length - 1)]!));
    const encoder = device.createCommandEncoder();
    encode(encoder);
    rows.forEach((row, k) => {
      const place = known.size;
      known.set(keyOf(row), place);
      values.forEach(({ slot, bytes }, i) => {
        encoder.copyBufferToBuffer(slot, k * bytes, table[i]!, place * bytes, bytes);
      });
    });
    device.queue.submit([encoder.finish()]);
  };
  const remember = (rows: Iterable<TimeRow>) => {
    const found = new Map<string, TimeRow>();
    for (const row of rows) {
      if (found.size === most) break;
      found.set(keyOf(row), row);
    }
    const distinct = [...found.values()];
    const unknown = () => distinct.filter((row) => !known.has(keyOf(row)));
    const wanted = known.size + unknown().length;
    if (wanted > capacity) grow(Math.min(most, Math.max(wanted, 2 * capacity)));
    const missing = unknown();
    for (let first = 0; first < missing.length; first += batch) compute(missing.slice(first, first + batch));
  };
  return {
    remember,
    recall(rows, encoder) {
      remember(rows);
      rows.forEach((row, k) => {
        const place = known.get(keyOf(row))!;
        values.forEach(({ slot, bytes }, i) => {
          encoder.copyBufferToBuffer(table[i]!, place * bytes, slot, k * bytes, bytes);
        });
      });
    },
    forget: () => known.clear(),
    destroy() {
      for (const buffer of table) buffer.destroy();
    },
  };
}
