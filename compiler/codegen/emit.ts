// Groups to calls of kernels, before anything has a place: the calls of each group, in training those that pack its weights just
// before and those that change parameters just behind, and the calls of an update that waits for all gradients.

import { invariant } from '../diagnostics.ts';
import type { Passing } from '../memory/plan.ts';
import type { Resource } from '../schedule/resources.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { Update } from '../schedule/update.ts';
import type { Target } from '../target.ts';
import { callsOf } from './groups/index.ts';
import type { KernelCall, WeightBlob } from './kernel-call.ts';
import {
  changesBehind,
  isFrozen,
  packsOfGroup,
  type SideCall,
  type UpdateCall,
  updateCalls,
  zerosBefore,
} from './update/calls.ts';

/** Where packed weights are written that stand in textures, one dispatch's after the other's. */
export const STAGED_WEIGHTS: Resource = { kind: 'staged_weights' };

export interface EmittedGroup {
  readonly calls: readonly KernelCall[];
  /** What is in front of them: zeros between gradients that begin there, and what packs its weights. */
  readonly before: readonly SideCall[];
  /** What changes the parameters whose gradients are all there, behind them. */
  readonly behind: readonly SideCall[];
}

export interface Emitted {
  readonly groups: readonly EmittedGroup[];
  /** What stands behind the groups, in passes of its own. */
  readonly updates: readonly UpdateCall[];
  readonly weights: PlacedWeights;
}

/** Where the weights of calls stand. */
export interface PlacedWeights {
  /** Those that stand as long as the program does; equal ones are one. */
  readonly standing: readonly WeightBlob[];
  /** The index in `standing` of weights that stand there. */
  readonly indexOf: ReadonlyMap<WeightBlob, number>;
  /** What all others are while their group runs. */
  readonly passing: ReadonlyMap<WeightBlob, Passing>;
}

/** The calls of a schedule on a target. */
export function emitCalls(schedule: Schedule, target: Target): Emitted {
  const { graph, groups, update } = schedule;
  const calls = groups.map((group) => callsOf(schedule, group, target));
  const weights = placeWeights(calls, update);
  const emitted = calls.map((own, at): EmittedGroup => {
    if (update === null) return { calls: own, before: [], behind: [] };
    const blobs = blobsOf(own).filter((blob) => weights.passing.has(blob));
    const packs = packsOfGroup(update, at, graph.nodes[groups[at]!.result]!.path, blobs);
    return {
      calls: own,
      before: [...zerosBefore(update, at), ...packs],
      behind: changesBehind(update, at),
    };
  });
  if (update !== null) checkUnchanged(update, emitted);
  const updates = update === null ? [] : updateCalls(update, groups.length, weights.standing);
  return { groups: emitted, updates, weights };
}

/** Throws InternalError where weights are packed of a parameter that has changed already. */
function checkUnchanged(update: Update, groups: readonly EmittedGroup[]): void {
  const last = new Map(
    update.arenas.flatMap(({ alive, parameters }) =>
      parameters.map(({ name }) => [name, alive?.last ?? groups.length] as const),
    ),
  );
  groups.forEach(({ before }, at) => {
    for (const { resource } of before.flatMap(({ call }) => call.bindings)) {
      if (resource.kind !== 'parameter') continue;
      const { name } = resource;
      const isThere = (last.get(name) ?? groups.length) >= at;
      invariant(isThere, () => `group #${at} packs ${name}, which has changed behind #${last.get(name)}`);
    }
  });
}

/** What calls need for the time of a group or, of weights that are packed behind all groups, for that of an update. */
export function passingOf({ updates, weights }: Emitted): readonly Passing[] {
  const packed = updates.flatMap(({ fills }) => (fills === null ? [] : [fills.length * 4]));
  const passing = [...weights.passing.values()];
  if (packed.length === 0) return passing;
  return [...passing, { resource: STAGED_WEIGHTS, bytes: Math.max(...packed), at: null }];
}

/** Weights of products pass where an update says so; vectors are small, and stay. */
function placeWeights(calls: readonly (readonly KernelCall[])[], update: Update | null): PlacedWeights {
  const standing: WeightBlob[] = [];
  const indexOf = new Map<WeightBlob, number>();
  const passing = new Map<WeightBlob, Passing>();
  const known = new Map<string, number>();
  calls.forEach((own, at) => {
    blobsOf(own).forEach((blob, part) => {
      const { length, texture, parts } = blob;
      if (update !== null && passes(update, blob)) {
        const home = texture ? 'texture' : 'buffer';
        passing.set(blob, {
          resource: { kind: 'group_weights', group: at, part, home },
          bytes: length * 4,
          at,
        });
        return;
      }
      const key = JSON.stringify([length, texture, parts]);
      const index = known.get(key) ?? standing.push(blob) - 1;
      known.set(key, index);
      indexOf.set(blob, index);
    });
  });
  return { standing, indexOf, passing };
}

function passes(update: Update, blob: WeightBlob): boolean {
  if (blob.parts.every(({ kind }) => kind === 'vector')) return false;
  return update.passing === 'all' || (update.passing === 'changing' && !isFrozen(update, blob));
}

/** The weights of calls, each once: the parts of a batch have the same. */
function blobsOf(calls: readonly KernelCall[]): readonly WeightBlob[] {
  const all = calls.flatMap(({ weights, product }) => [weights, product]);
  return [...new Set(all)].filter((blob) => blob !== null);
}
