// The derivative of a classifier by its image: an output `gradient`, that of Σ log softmax(output)[y] by x, for labels `y`
// that become an input. It guides sampling. Dhariwal and Nichol 2021, arXiv:2105.05233, section 4.

import { invariant } from '../diagnostics.ts';
import { createOpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { differentiate } from './differentiate/differentiate.ts';
import { copy } from './rewrite.ts';

/**
 * The graph with the output `gradient`. It must be that of a classifier without labels of its own: inputs `x` and
 * `timesteps`, an output of logits [B, classes].
 */
export function label_gradient(graph: OpGraph): OpGraph {
  const by = graph.nodes.findIndex((node) => node.op === 'input' && node.attrs.name === 'x');
  const [logits] = graph.outputs;
  invariant(
    by >= 0 && logits?.name === 'output',
    'a classifier has an input x and logits as its first output',
  );
  const b = createOpGraphBuilder();
  for (const node of graph.nodes) copy(node, node.inputs, b);
  const [batch] = b.typeOf(logits.value).shape;
  const y = b.add('input', [], { name: 'y', type: { dtype: 'u32', shape: [batch!] } }, 'y');
  const cotangent = b.add('log_softmax_gradient', [logits.value, y], {}, 'out.gradient');
  return differentiate(b.finish(graph.outputs), {
    output: logits.value,
    cotangent,
    by: [{ name: 'gradient', value: by }],
  });
}
