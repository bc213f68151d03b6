// `.safetensors` as data: `x_start` [N, C, ...size], and where it has them `y` [N] and `low_res` [N, C, ...its size].

import { type ByteSource, closeOnThrow, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { readHeader, type SafetensorsEntry } from '../../runtime/weights/safetensors.ts';
import type { ArraySet } from './array-set.ts';
import { labelsOf, type Rows, rowsIn } from './rows.ts';

/** Throws RuntimeError('input'). */
export function openTensors(file: string): ArraySet {
  const origin: Origin = { kind: 'input', label: file };
  const source = openFile(origin);
  return closeOnThrow(source, () => {
    const { entries } = readHeader(source, origin);
    const rows = (name: string): Rows | null => {
      const entry = entries.find((one) => one.name === name);
      return entry === undefined ? null : entryRows(source, entry, file);
    };
    const images = rows('x_start');
    if (images === null) {
      const found = entries.map(({ name }) => name);
      throw fault(
        origin,
        `it has ${found.slice(0, 12).join(', ') || 'no tensor'}; the samples are called x_start`,
      );
    }
    const labels = rows('y');
    return {
      kind: 'safetensors',
      images,
      labels: labels === null ? null : labelsOf(labels, images.shape[0]!),
      names: null,
      low_res: rows('low_res'),
      channels: 'first',
      notes: [],
      close: () => source.close(),
    };
  });
}

function entryRows(source: ByteSource, { name, dtype, shape, offset }: SafetensorsEntry, file: string): Rows {
  const origin: Origin = { kind: 'input', label: `${file}: ${name}` };
  if (shape.length === 0) throw fault(origin, 'it is one number, and no array of samples');
  return rowsIn(source, origin, { dtype, shape, offset });
}
