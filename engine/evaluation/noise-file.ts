// Noise from a file in the place of a seed's: `noise.I` [N, C, ...size] for each index I of the process, a row an image.

import { closeOnThrow, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import type { TensorData } from '../../runtime/weights/dtypes.ts';
import { isFloating } from '../../runtime/weights/dtypes.ts';
import { readHeader } from '../../runtime/weights/safetensors.ts';
import { rowsIn } from '../data/rows.ts';

export interface NoiseFile {
  /** The noise of an image by its place in the data, at an index of the process. */
  read(index: number, place: number): Float32Array;
  close(): void;
}

/** Missing tensors that a message names; the rest is counted. */
const LISTED = 4;

/**
 * Opens the file. Throws RuntimeError('input') where a tensor is missing, or is of another type or shape.
 * @param steps of the process
 * @param shape [C, ...size] of an image
 * @param images how many there are at the least: more rows are left alone
 */
export function openNoise(file: string, steps: number, shape: readonly number[], images: number): NoiseFile {
  const origin: Origin = { kind: 'input', label: file };
  const source = openFile(origin);
  return closeOnThrow(source, () => {
    const { entries } = readHeader(source, origin);
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    const names = Array.from({ length: steps }, (_, index) => `noise.${index}`);
    const missing = names.filter((name) => !byName.has(name));
    if (missing.length > 0) {
      const more = missing.length > LISTED ? ` and ${missing.length - LISTED} more` : '';
      throw fault(
        origin,
        `${missing.slice(0, LISTED).join(', ')}${more} are missing: the process has ${steps} steps, and each has its own ` +
          `noise, noise.0 to noise.${steps - 1} of shape [${[images, ...shape].join(', ')}]`,
      );
    }
    const all = names.map((name) => {
      const entry = byName.get(name)!;
      const own: Origin = { kind: 'input', label: `${file}: ${name}` };
      if (!isFloating(entry.dtype)) throw fault(own, `it is of type ${entry.dtype}; store it as F32`);
      const [rows = 0, ...sizes] = entry.shape;
      if (sizes.join() !== shape.join() || rows < images) {
        throw fault(
          own,
          `it is [${entry.shape.join(', ')}], expected [${[images, ...shape].join(', ')}]: a row for each image`,
        );
      }
      return rowsIn(source, own, entry);
    });
    return {
      read(index, place) {
        const values = floats(all[index]!.read(place));
        const bad = values.findIndex((value) => !Number.isFinite(value));
        if (bad < 0) return values;
        throw fault(all[index]!.origin, `row ${place} has ${values[bad]} at element ${bad}; noise is finite`);
      },
      close: () => source.close(),
    };
  });
}

function floats(values: TensorData): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>);
}
