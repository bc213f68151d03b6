// The dispatches of an update, behind those of the gradients, each with the pass that it is of; those that change an arena as soon
// as its gradients are there; and those that pack weights just before a group reads them.

import type { WeightPart } from '../../../runtime/bundle.ts';
import { invariant } from '../../diagnostics.ts';
import {
  arenasBehind,
  arenasFrom,
  CHANGES,
  hasGaps,
  kindsOf,
  parametersOf,
  printChange,
  printPacking,
  printUpdate,
  printZeros,
  SQUARE_SUMS,
  stillOf,
  type TrainedArena,
  type Update,
  type UpdateKind,
} from '../../schedule/update.ts';
import type { KernelCall, WeightBlob } from '../kernel-call.ts';
import { accumulate, adamw, gradientScale, square_sums, workOf, zeros } from './change.ts';
import { clearBlob, packBlob } from './pack.ts';

/** A call that is none of a group's own. */
export interface SideCall {
  /** Its line of the schedule, and what it is of. */
  readonly group: string;
  readonly path: string;
  readonly call: KernelCall;
  /** Packed weights that go into their texture behind it; null for none. */
  readonly fills: WeightBlob | null;
  readonly flops: number;
  readonly bytes: number;
}

export interface UpdateCall extends SideCall {
  /** The pass that a host starts by name. */
  readonly pass: 'accumulate' | 'update' | 'pack' | 'pack_frozen';
}

const PASSES = {
  accumulate: 'accumulate',
  square_sums: 'update',
  gradient_scale: 'update',
  adamw: 'update',
  pack_weights: 'pack',
  pack_frozen: 'pack_frozen',
} as const satisfies Record<UpdateKind, UpdateCall['pass']>;

/** The calls in their order; `first` is how many groups stand before them, `blobs` are the weights of their kernels. */
export function updateCalls(
  update: Update,
  first: number,
  blobs: readonly WeightBlob[],
): readonly UpdateCall[] {
  return kindsOf(update).flatMap((kind, i) => {
    const group = printUpdate(update, kind, first + i);
    const calls = workedCalls(update, kind, blobs);
    return calls.map((call) => ({ pass: PASSES[kind], group, ...call }));
  });
}

/** The calls before the group with an index, of arenas of gradients that begin there. */
export function zerosBefore(update: Update, index: number): readonly SideCall[] {
  return arenasFrom(update, index).flatMap(([arena, i]) => {
    if (!hasGaps(arena)) return [];
    const group = printZeros(arena, index);
    return [{ group, path: 'update', call: zeros(arena, i), fills: null, flops: 0, bytes: arena.bytes }];
  });
}

/** The calls behind the group with an index, of arenas whose gradients are all there. */
export function changesBehind(update: Update, index: number): readonly SideCall[] {
  return arenasBehind(update, index).flatMap(([arena, i]) =>
    CHANGES.map((kind) => ({
      group: printChange(update, kind, arena, index),
      ...(kind === 'gradient_scale' ? scaling(update, i) : change(update, kind, arena, i)),
    })),
  );
}

/** The calls that pack weights for the group with an index, which computes what `path` names. */
export function packsOfGroup(
  update: Update,
  index: number,
  path: string,
  blobs: readonly WeightBlob[],
): readonly SideCall[] {
  const bytes = blobs.reduce((sum, { length }) => sum + 4 * length, 0);
  const group = printPacking(index, bytes, path);
  return packs(update, blobs).map((call) => ({ group, ...call }));
}

type Worked = Omit<SideCall, 'group'>;

function workedCalls(update: Update, kind: UpdateKind, blobs: readonly WeightBlob[]): readonly Worked[] {
  switch (kind) {
    case 'pack_weights':
      return packs(
        update,
        blobs.filter((blob) => !isFrozen(update, blob)),
      );
    case 'pack_frozen':
      return packs(
        update,
        blobs.filter((blob) => isFrozen(update, blob)),
      );
    case 'gradient_scale':
      return [scaling(update, update.arenas.length - 1)];
    case 'accumulate':
    case 'square_sums':
    case 'adamw':
      return update.arenas.map((arena, i) => change(update, kind, arena, i));
  }
}

const CALLS = { accumulate, square_sums, adamw };

function change(update: Update, kind: keyof typeof CALLS, arena: TrainedArena, i: number): Worked {
  const { flops, passes } = workOf(update)[kind];
  return {
    path: 'update',
    call: CALLS[kind](update, arena, i),
    fills: null,
    flops: (flops * arena.bytes) / 4,
    bytes: passes * arena.bytes,
  };
}

/** What gradients of the arenas up to `last` are multiplied by. */
function scaling(update: Update, last: number): Worked {
  const sums = (last + 1) * SQUARE_SUMS;
  return { path: 'update', call: gradientScale(update, last), fills: null, flops: sums, bytes: 4 * sums };
}

/** Whether weights stay as they are: of parts that are packed together one that changes is enough for all to be packed again. */
export function isFrozen(update: Update, { parts }: WeightBlob): boolean {
  const still = new Set(stillOf(update).map(({ name }) => name));
  return parts.every(({ param }) => still.has(param));
}

function packs(update: Update, blobs: readonly WeightBlob[]): readonly Worked[] {
  const parameters = new Map([...parametersOf(update), ...stillOf(update)].map((one) => [one.name, one]));
  const parameterOf = ({ param }: WeightPart) => {
    const parameter = parameters.get(param);
    invariant(parameter, () => `${param} has no gradient`);
    return parameter;
  };
  return blobs.flatMap((blob) => {
    const calls = [
      ...clearBlob(blob).map((cleared) => ({ path: blob.parts[0]!.param, flops: 0, ...cleared })),
      ...packBlob(blob, parameterOf).map(({ parameter, call }) => {
        return { path: parameter.name, call, flops: 0, bytes: 2 * parameter.bytes };
      }),
    ];
    const last = calls.length - 1;
    return calls.map((call, i) => ({ ...call, fills: blob.texture && i === last ? blob : null }));
  });
}
