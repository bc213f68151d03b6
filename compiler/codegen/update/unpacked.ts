// What of a dispatch's weights no parameter fills: the bias of a product that has none, outputs that only fill a tile. Memory in
// which other weights stood before has to be zeros there.

import { STORED_BYTES, type WeightPart } from '../../../runtime/bundle.ts';
import { planesOf } from '../../schedule/choices/winograd.ts';
import type { WeightBlob } from '../kernel-call.ts';

/** Words of four bytes from the beginning of a dispatch's weights. */
export interface Gap {
  readonly first: number;
  readonly end: number;
}

/** The stretches to be filled with zeros before the parts of a blob are packed, in order. */
export function gapsOf({ parts, length }: WeightBlob): readonly Gap[] {
  const offsets = [...new Set(parts.map(({ offset }) => offset))].sort((a, b) => a - b);
  const gaps = offsets.flatMap((first, i): readonly Gap[] => {
    const next = offsets[i + 1] ?? length;
    const { end, filled } = filledBy(parts.filter(({ offset }) => offset === first));
    // what lies among the numbers of a part is zeros first, and then written over
    if (filled < end) return [{ first, end: next }];
    return first + end < next ? [{ first: first + end, end: next }] : [];
  });
  return offsets[0] === 0 ? gaps : [{ first: 0, end: offsets[0] ?? length }, ...gaps];
}

interface Filled {
  /** Words that the parts of an offset stand in, and how many of them are written. */
  readonly end: number;
  readonly filled: number;
}

function filledBy(parts: readonly WeightPart[]): Filled {
  const extents = parts.map(filledByPart);
  // a vector that is added to another one writes where that does
  const vectors = parts.some(({ kind }) => kind === 'vector');
  const filled = extents.map((one) => one.filled);
  return {
    end: Math.max(...extents.map((one) => one.end)),
    filled: vectors ? Math.max(...filled) : filled.reduce((sum, one) => sum + one, 0),
  };
}

function filledByPart(part: WeightPart): Filled {
  switch (part.kind) {
    case 'product': {
      const { outputs, first_output, tile, steps, chunk, taps, stored } = part;
      const share = STORED_BYTES[stored] / 4;
      const inputs = Math.ceil(part.inputs / chunk) * chunk;
      const columns = Math.ceil((first_output + outputs) / tile);
      return {
        end: columns * steps * chunk * tile * share,
        filled: Math.ceil(outputs / 4) * 4 * inputs * taps * share,
      };
    }
    case 'winograd': {
      const words = planesOf(part.m) * part.plane;
      return { end: words, filled: words };
    }
    case 'linear': {
      const inputs = Math.ceil(part.inputs / 4) * 4;
      const { first_output, outputs } = part;
      return { end: Math.ceil((first_output + outputs) / 64) * 64 * inputs, filled: outputs * inputs };
    }
    case 'vector': {
      const words = (part.length / part.row) * Math.ceil(part.row / 4) * 4;
      return { end: words, filled: words };
    }
  }
}
