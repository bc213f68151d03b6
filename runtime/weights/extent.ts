// Where a part of packed weights lies: the words of four bytes that it may write, counted from the beginning of its dispatch's weights.

import type { WeightPart } from '../bundle.ts';

export interface Extent {
  readonly first: number;
  /** The word behind the last one. */
  readonly end: number;
}

/** Everything that a part writes lies inside; other words inside stay as they are. */
export function extentOf(part: WeightPart): Extent {
  const { offset } = part;
  switch (part.kind) {
    case 'product':
      return columns(part, part.tile, (part.steps * part.chunk * part.tile) / (part.half ? 2 : 1));
    case 'winograd':
      return { first: offset, end: offset + (part.m + 2) ** 2 * part.plane };
    case 'linear':
      return columns(part, 64, 64 * Math.ceil(part.inputs / 4) * 4);
    case 'vector':
      return {
        first: offset,
        end: offset + Math.ceil(part.length / part.row) * Math.ceil(part.row / 4) * 4,
      };
  }
}

/** Outputs stand in columns of `width`, each of which takes `floats`. */
function columns(
  {
    offset,
    first_output: first,
    outputs,
  }: { readonly offset: number; readonly first_output: number; readonly outputs: number },
  width: number,
  floats: number,
): Extent {
  return {
    first: offset + Math.floor(first / width) * floats,
    end: offset + Math.ceil((first + outputs) / width) * floats,
  };
}

/** Parts that share floats: they are packed together. */
export interface Run extends Extent {
  readonly parts: readonly WeightPart[];
}

/**
 * Cuts weights of `length` floats into runs, in order and without gaps. Parts keep their order within a run: later ones
 * may add to what earlier ones wrote.
 */
export function runsOf(parts: readonly WeightPart[], length: number): readonly Run[] {
  const placed = parts
    .map((part, order) => ({ part, order, ...extentOf(part) }))
    .toSorted((a, b) => a.first - b.first);
  const runs: { first: number; end: number; members: typeof placed }[] = [];
  for (const one of placed) {
    const last = runs.at(-1);
    if (last && one.first < last.end) {
      last.members.push(one);
      last.end = Math.max(last.end, one.end);
    } else runs.push({ first: one.first, end: one.end, members: [one] });
  }
  return runs.map(({ members }, i) => ({
    first: i === 0 ? 0 : runs[i]!.first,
    // what no part writes belongs to the run before it
    end: runs[i + 1]?.first ?? length,
    parts: members.toSorted((a, b) => a.order - b.order).map(({ part }) => part),
  }));
}
