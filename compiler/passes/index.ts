// The passes over the OpGraph, in order; the verifier runs after each and names the culprit.

import { InternalError } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { verifyOpGraph } from '../opgraph/verify.ts';
import { draw_dropout } from './draw_dropout.ts';
import { eliminate_dead } from './eliminate_dead.ts';
import { label_gradient } from './label_gradient.ts';
import { merge_common_subexpressions } from './merge_common_subexpressions.ts';
import { merge_time_projections } from './merge_time_projections.ts';
import { parameter_gradients } from './parameter_gradients.ts';
import { remove_dropout } from './remove_dropout.ts';

export interface Pass {
  readonly name: string;
  readonly run: (graph: OpGraph) => OpGraph;
}

export const PASSES: readonly Pass[] = [
  { name: 'remove_dropout', run: remove_dropout }, // first: nothing after it has to look through an identity
  { name: 'merge_common_subexpressions', run: merge_common_subexpressions }, // makes the projections read one value
  { name: 'merge_time_projections', run: merge_time_projections }, // needs that one value
  { name: 'eliminate_dead', run: eliminate_dead }, // last: the others leave operands behind
];

/** The passes behind these that add the gradient of a classifier. */
export const GRADIENT_PASSES: readonly Pass[] = [
  { name: 'label_gradient', run: label_gradient }, // writes what it computes again as copies, which are not to be merged
  { name: 'eliminate_dead', run: eliminate_dead },
];

export interface TrainingPassOptions {
  /** Whether dropout is drawn; else it is the identity. */
  readonly dropout: boolean;
  /** Names of parameters that no gradient is computed of. */
  readonly frozen?: readonly string[];
  /** Paths of blocks that the backward pass computes again. */
  readonly recomputed?: readonly string[];
}

/** Elements of a merged product's weights in training: 4 MiB, less than the weights of most models' widest convolution. */
const PACKED_ELEMENTS = 2 ** 20;

/** The passes of a loss, in the place of those above: parameters are differentiated while each is a node of its own. */
export const trainingPasses = ({
  dropout,
  frozen = [],
  recomputed = [],
}: TrainingPassOptions): readonly Pass[] => [
  dropout ? { name: 'draw_dropout', run: draw_dropout } : { name: 'remove_dropout', run: remove_dropout },
  { name: 'merge_common_subexpressions', run: merge_common_subexpressions }, // before copies that are not to be merged
  {
    name: 'parameter_gradients',
    run: (graph) => parameter_gradients(graph, { frozen: new Set(frozen), recomputed: new Set(recomputed) }),
  },
  { name: 'merge_time_projections', run: (graph) => merge_time_projections(graph, PACKED_ELEMENTS) },
  { name: 'eliminate_dead', run: eliminate_dead },
];

/** Runs passes in order and verifies after each. */
export function runPasses(graph: OpGraph, passes: readonly Pass[] = PASSES): OpGraph {
  return passes.reduce((current, pass) => {
    const next = pass.run(current);
    try {
      verifyOpGraph(next);
    } catch (cause) {
      throw new InternalError(`pass ${pass.name} broke the graph: ${String(cause)}`);
    }
    return next;
  }, graph);
}
