// What a backend is: the kernels that a target computes products with, as far as a schedule depends on them. Its kernels are
// in codegen's table of the same names (`codegen/groups/index.ts`).

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { Precision } from '../../precision.ts';
import type { Choose } from '../choices/candidates.ts';
import type { Fusion } from '../fusions/fusion.ts';
import type {
  Candidate,
  ConvGroup,
  FusionGroup,
  Home,
  WeightGradientGroup,
  WinogradTile,
} from '../schedule.ts';

export interface Backend {
  /** The precisions that it has kernels for. A target runs the workgroup backend for the other one. */
  readonly precisions: readonly Precision[];
  /** The precisions in which weights that stand may take more memory than the model has for them, where it is not limited. */
  readonly expands: readonly Precision[];
  /** The fusions that its kernels have code for, in order; `choose` says how a convolution is computed. */
  readonly fusions: (choose: Choose) => readonly Fusion[];
  /** Every legal way to compute a convolution; `strict` leaves out what is less exact than the plain sum. */
  readonly candidates: (graph: OpGraph, group: ConvGroup, strict: boolean) => readonly Candidate[];
  /** The tile by which Winograd's algorithm computes the gradient of a weight, or null; `strict` as of candidates. */
  readonly weightTile: (graph: OpGraph, group: WeightGradientGroup, strict: boolean) => WinogradTile | null;
  /** How a candidate is chosen where a tuning does not know the convolution. */
  readonly untuned: Model | Rule;
  /** Where groups read and write activations. */
  readonly home: (graph: OpGraph, group: FusionGroup | { readonly kind: 'statistics' }) => Home;
  /** Who combines the statistics of a norm into scale and shift. */
  readonly norms: Norms;
  /** Whether tiles of statistics say how many pixels they are of. */
  readonly countedTiles: boolean;
  /** Whether a kernel that few convolutions use is given up: where its code takes long to generate. */
  readonly pricesKernels: boolean;
}

/** The candidate that takes fewest microseconds, as a model has it; of one sample where so many share a dispatch. */
export interface Model {
  readonly by: 'model';
  readonly microseconds: (graph: OpGraph, group: ConvGroup, candidate: Candidate, samples?: number) => number;
}

/** The candidate that a rule names; `plain`: one that is the sum over taps, by weights that are not expanded. */
export interface Rule {
  readonly by: 'rule';
  readonly choose: (graph: OpGraph, group: ConvGroup, plain: boolean) => Candidate;
}

/**
 * `reader`: every workgroup of the group that applies the norm, up to so many statistics of a norm group; more are merged
 * by a group before it. `affine`: a group before it, once for all workgroups.
 */
export type Norms = { readonly by: 'reader'; readonly mostCombined: number } | { readonly by: 'affine' };
