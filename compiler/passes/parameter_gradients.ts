// The gradients of all parameters that the loss depends on: outputs `grad.NAME`, those of the mean over samples of
// `loss.loss`, each weighted by an input `weights` [B] (ones, but where a sampler of timesteps favours some). A parameter that
// nothing reads on the way to the loss, such as that of a time embedding which no layer takes, has no such output, and a frozen
// one has none either: what the backward pass would compute for it alone is not there.

import { invariant } from '../diagnostics.ts';
import { createOpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { differentiate } from './differentiate/differentiate.ts';
import { copy } from './rewrite.ts';

export interface ParameterGradients {
  /** Names of parameters that have no gradients. */
  readonly frozen?: ReadonlySet<string>;
  /** Paths of blocks of which the forward pass keeps nothing: the backward pass computes them again. */
  readonly recomputed?: ReadonlySet<string>;
}

/** The graph of a loss with the gradients of its parameters. */
export function parameter_gradients(graph: OpGraph, options: ParameterGradients = {}): OpGraph {
  const { frozen = new Set<string>(), recomputed = new Set<string>() } = options;
  const loss = graph.outputs.find(({ name }) => name === 'loss.loss');
  invariant(loss, 'the graph has no output loss.loss');
  const b = createOpGraphBuilder();
  for (const node of graph.nodes) copy(node, node.inputs, b);
  const type = b.typeOf(loss.value);
  const weights = b.add('input', [], { name: 'weights', type }, 'weights');
  const cotangent = b.add('scale', [weights], { factor: 1 / type.shape[0]! }, 'loss.gradient');
  const reached = ancestors(graph, loss.value);
  const by = graph.nodes.flatMap((node, value) =>
    node.op === 'param' && reached.has(value) && !frozen.has(node.attrs.name)
      ? [{ name: `grad.${node.attrs.name}`, value }]
      : [],
  );
  return differentiate(b.finish(graph.outputs), { output: loss.value, cotangent, by, recomputed });
}

/** A value and all that it depends on. */
function ancestors({ nodes }: OpGraph, value: number): ReadonlySet<number> {
  const found = new Set([value]);
  for (let id = value; id >= 0; id--) {
    if (found.has(id)) for (const input of nodes[id]!.inputs) found.add(input);
  }
  return found;
}
