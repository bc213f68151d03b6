// Where a part of packed weights lies: the words of four bytes that it may write, counted from the beginning of its
// dispatch's weights; and where weights may be cut, to be packed piece by piece.

import { STORED_BYTES, type WeightPart } from '../bundle.ts';

export interface Stretch {
  readonly first: number;
  /** The word behind the last one. */
  readonly end: number;
}

export interface Extent extends Stretch {
  /** Words that are packed at once: a part may be cut behind each so many. */
  readonly unit: number;
}

/** Words of a texel, which no cut parts. */
const TEXEL = 4;

/** Everything that a part writes lies inside; other words inside stay as they are. */
export function extentOf(part: WeightPart): Extent {
  const { offset: first } = part;
  switch (part.kind) {
    case 'product':
      return columns(part, part.tile, (part.steps * part.chunk * part.tile * STORED_BYTES[part.stored]) / 4);
    case 'winograd': {
      const unit = (part.m + 2) * part.plane;
      return { first, end: first + (part.m + 2) * unit, unit };
    }
    case 'linear':
      return columns(part, 64, 64 * Math.ceil(part.inputs / 4) * 4);
    case 'vector': {
      const end = first + Math.ceil(part.length / part.row) * Math.ceil(part.row / 4) * 4;
      return { first, end, unit: TEXEL };
    }
  }
}

/** Outputs stand in columns of `width`, each of which takes `unit` words. */
function columns(
  {
    offset,
    first_output: first,
    outputs,
  }: { readonly offset: number; readonly first_output: number; readonly outputs: number },
  width: number,
  unit: number,
): Extent {
  return {
    first: offset + Math.floor(first / width) * unit,
    end: offset + Math.ceil((first + outputs) / width) * unit,
    unit,
  };
}

/** Parts that share texels: they are packed together. */
export interface Run extends Stretch {
  readonly parts: readonly WeightPart[];
}

/**
 * Cuts weights of `length` words into runs, in order and without gaps. Parts keep their order within a run: later ones
 * may add to what earlier ones wrote.
 */
export function runsOf(parts: readonly WeightPart[], length: number): readonly Run[] {
  const placed = parts
    .map((part, order) => ({ part, order, ...extentOf(part) }))
    .toSorted((a, b) => a.first - b.first);
  const runs: { first: number; end: number; members: typeof placed }[] = [];
  for (const one of placed) {
    const last = runs.at(-1);
    if (last && one.first < Math.ceil(last.end / TEXEL) * TEXEL) {
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

/** Cuts a run into stretches of `most` words or less, or as little more as its parts allow. */
export function stretchesOf({ first, end, parts }: Run, most: number): readonly Stretch[] {
  const extents = parts.map(extentOf);
  const coarsest = extents.reduce((a, b) => (a.unit < b.unit ? b : a));
  const divides = (at: number) =>
    extents.every((one) => at <= one.first || at >= one.end || (at - one.first) % one.unit === 0);
  const stretches: Stretch[] = [];
  let begin = first;
  while (end - begin > most) {
    const units = Math.floor((begin + most - coarsest.first) / coarsest.unit);
    let cut = coarsest.first + units * coarsest.unit;
    while (cut <= begin || (cut < end && !divides(cut))) cut += coarsest.unit;
    if (cut >= end) break;
    stretches.push({ first: begin, end: cut });
    begin = cut;
  }
  return [...stretches, { first: begin, end }];
}
