// The dispatches of an update, behind those of the gradients, each with the pass that it is of.

import type { WeightPart } from '../../../runtime/bundle.ts';
import { invariant } from '../../diagnostics.ts';
import {
  kindsOf,
  parametersOf,
  printUpdate,
  SQUARE_SUMS,
  stillOf,
  type Update,
  type UpdateKind,
} from '../../schedule/update.ts';
import type { KernelCall, WeightBlob } from '../kernel-call.ts';
import { accumulate, adamw, gradientScale, square_sums, workOf } from './change.ts';
import { packBlob } from './pack.ts';

export interface UpdateCall {
  /** The pass that a host starts by name. */
  readonly pass: 'accumulate' | 'update' | 'pack' | 'pack_frozen';
  /** Its line of the schedule, and what it is of. */
  readonly group: string;
  readonly path: string;
  readonly call: KernelCall;
  readonly flops: number;
  readonly bytes: number;
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

type Worked = Omit<UpdateCall, 'pass' | 'group'>;

function workedCalls(update: Update, kind: UpdateKind, blobs: readonly WeightBlob[]): readonly Worked[] {
  switch (kind) {
    case 'pack_weights':
    case 'pack_frozen':
      return packs(update, blobs, kind);
    case 'gradient_scale': {
      const sums = update.arenas.length * SQUARE_SUMS;
      return [{ path: 'update', call: gradientScale(sums), flops: sums, bytes: 4 * sums }];
    }
    case 'accumulate':
    case 'square_sums':
    case 'adamw':
      return changes(update, kind);
  }
}

const CHANGES = { accumulate, square_sums, adamw };

function changes(update: Update, kind: keyof typeof CHANGES): readonly Worked[] {
  const { flops, passes } = workOf(update)[kind];
  return update.arenas.map((arena, i) => ({
    path: 'update',
    call: CHANGES[kind](update, arena, i),
    flops: (flops * arena.bytes) / 4,
    bytes: passes * arena.bytes,
  }));
}

/** Of parts that are packed together one that changes is enough for them to be packed in every step. */
function packs(
  update: Update,
  blobs: readonly WeightBlob[],
  kind: 'pack_weights' | 'pack_frozen',
): readonly Worked[] {
  const frozen = stillOf(update);
  const still = new Set(frozen.map(({ name }) => name));
  const parameters = new Map([...parametersOf(update), ...frozen].map((one) => [one.name, one]));
  const parameterOf = ({ param }: WeightPart) => {
    const parameter = parameters.get(param);
    invariant(parameter, () => `${param} has no gradient`);
    return parameter;
  };
  return blobs.flatMap((blob) =>
    packBlob(blob, parameterOf).flatMap(({ parameter, added, call }) => {
      const stays = [parameter, ...added].every(({ name }) => still.has(name));
      if (stays !== (kind === 'pack_frozen')) return [];
      return [{ path: parameter.name, call, flops: 0, bytes: 2 * parameter.bytes }];
    }),
  );
}
