// What a layer is: its keys in a graph file, its parameters, its arithmetic, and what every stage has to know of it.

import type { z } from 'zod';
import type { RuleCode } from '../format/rules.ts';
import type { Shape } from '../ops/op.ts';
import type { Facts, Width } from './fact.ts';
import type { Norm } from './norm.ts';
import type { ModelSizes, PartTensor, ReadShape } from './part.ts';
import type { Scope } from './scope.ts';

/**
 * Something with parameters: a layer, or what stands beside the blocks (time embedding, label embedding, head). `P` are
 * the names of its parts, which are the submodules and the steps between them; what a checkpoint calls them, a naming
 * says (naming.ts).
 */
export interface ModuleDef<M, P extends string = string> {
  /** Its parameters in checkpoint order. */
  parameters(module: M, model: ModelSizes): readonly PartTensor<P>[];
  /** Adds its ops to the graph and returns the id of its result. `x` is the id of what it is given. */
  lower(module: M, at: Scope<P>, x: number): number;
  /** What each option means for weights and numerics. No option can be left out, so that the diff sees every one. */
  readonly facts: Facts<M>;
}

/** The keys of a layer that hold channels. */
export type ChannelKey<L> = keyof L & Width;

/**
 * One file of meaning a layer type. `L` is the layer as its schema reads it, defaults filled in, and `W` as a file says
 * it, without what has a default.
 */
export interface LayerDef<L extends { readonly type: string }, P extends string = string, W = L>
  extends ModuleDef<L, P> {
  /** The keys of the explicit form, in its order. */
  readonly fields: Readonly<Record<string, z.ZodType>>;
  /** The object of these keys. */
  readonly schema: z.ZodType<L, W>;
  /** Keys that `expand` always writes. Another one is left out, also where layers are printed, while it has its default. */
  readonly spelled: readonly (keyof L)[];
  /** Where the layer says how many channels it takes and gives. */
  readonly channels: { readonly in: ChannelKey<L>; readonly out: ChannelKey<L> };
  /** Levels that it goes down: 1 halves the size, -1 doubles it. */
  levels(layer: L): -1 | 0 | 1;
  /** One resampled dimension of `n` after it. */
  size(layer: L, n: number): number;
  /** What it normalises: the key that holds the channels, and how. */
  norms(layer: L): readonly { readonly field: ChannelKey<L>; readonly norm: Norm }[];
  /** The heads that its channels have to divide into; null where it does not attend. */
  heads(layer: L): { readonly heads: number; readonly channels: number } | null;
  /** What its keys contradict one another in. */
  faults(layer: L): readonly { readonly code: RuleCode; readonly field: keyof L; readonly message: string }[];
  /** Whether it gives what it is given while all its parameters are zero. */
  inert(layer: L): boolean;
  /** What it is called in a role (`down[2].res[0]`). */
  role(layer: L): string;
  /** A few characters for pictures. */
  label(layer: L): string;
  /** The layer whose tensors a checkpoint has, without what shapes do not tell; null where it is of another type. */
  read(shapeOf: ReadShape<P>): W | null;
}

/** What holds for a layer unless it says otherwise: it keeps the size, normalises nothing and attends to nothing. */
export const plain = {
  levels: (): 0 => 0,
  size: (_layer: unknown, n: number) => n,
  norms: () => [],
  heads: () => null,
  faults: () => [],
  inert: () => false,
} as const;

/** A kernel of one size in every dimension. */
export function cube(size: number, dims: number): Shape {
  return Array.from({ length: dims }, () => size);
}
