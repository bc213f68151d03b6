// The ops of a model as they are before any pass: those of its layers, and where it is asked for a classifier's gradient.

import type { Graph } from '../graph/graph.ts';
import { type LowerOptions, lowerGraph } from '../graph/lower.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { runPasses, trainingPasses } from './index.ts';
import { label_gradient } from './label_gradient.ts';
import { training_loss } from './training_loss.ts';

export interface ModelOptions extends LowerOptions {
  /** Adds labels `y` to the inputs of a classifier, and the derivative by x of their log-probability to its outputs. */
  readonly gradient: boolean;
  /** The loss of a training batch and its gradients in the place of the model's own inputs and outputs. */
  readonly gradients?: boolean;
  /** The losses of a batch alone, in the place of the model's output: nothing is dropped. */
  readonly losses?: boolean;
  /** Whether dropout is drawn there, by an input `dropout`; else it is the identity, as it is in a forward pass. */
  readonly dropout?: boolean;
  /** Names of parameters that have no gradient there. */
  readonly frozen?: readonly string[];
}

/** The ops that a model is made of, for the reference executor, and to see what it takes and gives. */
export function modelOps(graph: Graph, options: ModelOptions): OpGraph {
  const ops = lowerGraph(graph, options);
  const { gradients = false, losses = false, dropout = false, frozen = [] } = options;
  if (losses) return training_loss(ops, graph);
  if (gradients) return runPasses(training_loss(ops, graph), trainingPasses({ dropout, frozen }));
  return options.gradient ? label_gradient(ops) : ops;
}
