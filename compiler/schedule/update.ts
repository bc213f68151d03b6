// What a step of training does with gradients: it adds up those of microbatches, sums their squares, says by these what gradients
// are multiplied by, changes the parameters and their moving averages, and packs the parameters for the kernels of the next step.
// Parameters stand in arenas, each with its gradient at the same place of an arena of gradients, so that a dispatch goes over an
// arena. An arena changes as soon as its gradients are there, whose memory others then take; or all wait for all gradients.

import { count } from '../graph/words.ts';

/**
 * Which weights of products are packed just before a group reads them, in memory that they take in turn: none, so that they stand
 * beside each other; those that change; or the frozen ones, too.
 */
export type Passing = 'none' | 'changing' | 'all';

export interface UpdateOptions {
  /** How many moving averages of the parameters there are. */
  readonly averages: number;
  /** Whether the gradients of several microbatches are added up before the parameters change. */
  readonly accumulates: boolean;
  /**
   * Whether no parameter changes before all gradients are known: their largest norm and the loss's scale want it, and those of
   * microbatches always do. Not given: false.
   */
  readonly waits?: boolean | undefined;
  /** Names of parameters that stay as they are, in checkpoint order: they have no gradients, moments and moving averages. */
  readonly frozen?: readonly string[] | undefined;
  /** Not given: those that change, and none where several microbatches would have them packed again. */
  readonly passing?: Passing | undefined;
}

export interface PlacedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Bytes from the beginning of the arena, and bytes that it takes. */
  readonly offset: number;
  readonly bytes: number;
}

export interface TrainedParameter extends PlacedParameter {
  /** The value that is its gradient, as it is stored: the parameter has the same layout. */
  readonly gradient: number;
}

/** Parameters that stand in one buffer. */
export interface ParameterArena<P extends PlacedParameter = TrainedParameter> {
  /** Of the parameters; of the gradients as much. Of what is trained all that lives takes as much each (`COPIES`, averages). */
  readonly bytes: number;
  readonly parameters: readonly P[];
}

/** Parameters that change together. */
export interface TrainedArena extends ParameterArena {
  /** The group from which on gradients stand here, and the one behind which they change the parameters; null: all wait for all. */
  readonly alive: { readonly first: number; readonly last: number } | null;
}

export interface Update extends UpdateOptions {
  readonly passing: Passing;
  /** Parameters that change, those of an arena in one dispatch. */
  readonly arenas: readonly TrainedArena[];
  /** Frozen parameters that kernels read. */
  readonly still: readonly ParameterArena<PlacedParameter>[];
}

/** What stands in an arena of what lives from step to step, in this order; moving averages follow. */
export const COPIES = ['parameters', 'exp_avg', 'exp_avg_sq'] as const;

/** Sums of squares of an arena, one a workgroup: the host adds them up. */
export const SQUARE_SUMS = 256;

const GRADIENT = 'grad.';

/** Whether an output is the gradient of a parameter. */
export function isGradient(output: string): boolean {
  return output.startsWith(GRADIENT);
}

/** The name of the parameter that an output is the gradient of. */
export function parameterOf(output: string): string {
  return output.slice(GRADIENT.length);
}

/** The parameters that change. */
export function parametersOf({ arenas }: Update): readonly TrainedParameter[] {
  return arenas.flatMap(({ parameters }) => parameters);
}

/** The parameters that kernels read and that stay. */
export function stillOf({ still }: Update): readonly PlacedParameter[] {
  return still.flatMap(({ parameters }) => parameters);
}

/** What changes the parameters of arenas whose gradients are there, in its order. */
export const CHANGES = ['square_sums', 'gradient_scale', 'adamw'] as const;

/** What an update does, in its order. */
export const UPDATE_KINDS = [
  'accumulate',
  ...CHANGES,
  'pack_weights',
  'pack_frozen', // once, before the first step
] as const;
export type UpdateKind = (typeof UPDATE_KINDS)[number];

/** Whether all parameters change behind the last group. */
export function isLate({ arenas }: Update): boolean {
  return arenas.every(({ alive }) => alive === null);
}

/** The arenas whose gradients are all there behind a group, with their indices. */
export function arenasBehind(
  { arenas }: Update,
  group: number,
): readonly (readonly [TrainedArena, number])[] {
  return arenas.flatMap((arena, i) => (arena.alive?.last === group ? [[arena, i] as const] : []));
}

/** The arenas whose first gradients a group writes, with their indices. */
export function arenasFrom({ arenas }: Update, group: number): readonly (readonly [TrainedArena, number])[] {
  return arenas.flatMap((arena, i) => (arena.alive?.first === group ? [[arena, i] as const] : []));
}

/** Whether parts of an arena belong to no parameter, where memory that others have used holds anything. */
export function hasGaps({ bytes, parameters }: ParameterArena): boolean {
  return parameters.reduce((sum, one) => sum + one.bytes, 0) < bytes;
}

/** The kinds that an update has behind all groups. */
export function kindsOf(update: Update): readonly UpdateKind[] {
  const { accumulates, still } = update;
  const there: Readonly<Record<UpdateKind, boolean>> = {
    accumulate: accumulates,
    square_sums: isLate(update),
    gradient_scale: isLate(update),
    adamw: isLate(update),
    pack_weights: true,
    pack_frozen: still.length > 0,
  };
  return UPDATE_KINDS.filter((kind) => there[kind]);
}

/** One line for what is done behind a group to an arena whose gradients are there. */
export function printChange(update: Update, kind: UpdateKind, arena: TrainedArena, index: number): string {
  return printUpdate({ ...update, arenas: [arena] }, kind, index);
}

/** One line for a kind, as one for a group. */
export function printUpdate(update: Update, kind: UpdateKind, index: number): string {
  const arenas = kind === 'pack_frozen' ? update.still : update.arenas;
  const placed = arenas.reduce((sum, arena) => sum + arena.parameters.length, 0);
  const bytes = arenas.reduce((sum, arena) => sum + arena.bytes, 0);
  const averages = kind === 'adamw' ? [`moving_averages[${update.averages}]`] : [];
  const vectors = kind === 'pack_weights' && update.passing !== 'none' ? ['vectors'] : [];
  const parts = [
    `#${String(index).padStart(3, '0')} ${kind}`,
    ...averages,
    ...vectors,
    `${count(placed, 'parameter')} in ${count(arenas.length, 'arena')}`,
    ...(kind === 'gradient_scale' ? [] : [`${(bytes / 1e6).toFixed(2)} MB`]),
    '# update',
  ];
  return parts.join('  ');
}

/** One line for zeros between the gradients of an arena. */
export function printZeros({ bytes }: TrainedArena, index: number): string {
  return `#${String(index).padStart(3, '0')} zeros  ${(bytes / 1e6).toFixed(2)} MB  # update`;
}

/** One line for the weights that are packed for a group. */
export function printPacking(index: number, bytes: number, path: string): string {
  return `#${String(index).padStart(3, '0')} pack_weights  ${(bytes / 1e6).toFixed(2)} MB  # ${path}`;
}
