// All linear layers that read one value become one product with the rows of all of them, and each reader takes
// its slice: the ResBlocks' projections of the time embedding are one dispatch instead of thirty. A product ends where
// its weights would outgrow what every adapter can bind.

import type { OpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph, OpNode } from '../opgraph/opgraph.ts';
import { sizeOf } from '../ops/op.ts';
import { copy, rewriteGraph } from './rewrite.ts';

/** Elements of a product's weights that every adapter can bind: 128 MiB of float32, less a little for the bias. */
const MAX_ELEMENTS = 31 * 2 ** 20;

/** The pass with products of at most so many elements: in training, where each is packed anew, less memory for one at a time. */
export function merge_time_projections(graph: OpGraph, most = MAX_ELEMENTS): OpGraph {
  const products = productsOf(graph, most);
  const merged = new Map<readonly number[], number>();
  // parameters of later layers come before their own place, where the merged product reads them
  const params = new Map<number, number>();
  const param = (id: number, b: OpGraphBuilder) => {
    const known = params.get(id) ?? copy(graph.nodes[id]!, [], b);
    params.set(id, known);
    return known;
  };
  return rewriteGraph(graph, (node, inputs, b, id) => {
    if (node.op === 'param') return param(id, b);
    const all = products.get(id) ?? [];
    if (all.length < 2) return copy(node, inputs, b);
    if (!merged.has(all)) {
      const rows = (operand: 1 | 2) => {
        const joined = all.map((linear) => param(graph.nodes[linear]!.inputs[operand]!, b));
        return b.add('param_concat', joined, {}, 'time_projections');
      };
      merged.set(all, b.add('linear', [inputs[0]!, rows(1), rows(2)], {}, 'time_projections'));
    }
    const before = all.slice(0, all.indexOf(id));
    const start = before.reduce((n, linear) => n + outputsOf(graph, linear), 0);
    return b.add('slice', [merged.get(all)!], { start, end: start + outputsOf(graph, id) }, node.path);
  });
}

/** For each projection the layers of the product it belongs to, itself among them. */
function productsOf(graph: OpGraph, most: number): ReadonlyMap<number, readonly number[]> {
  const products = new Map<number, number[]>();
  const open = new Map<number, { layers: number[]; elements: number }>();
  graph.nodes.forEach((node, id) => {
    if (!isProjection(graph, node)) return;
    const source = node.inputs[0]!;
    const elements = sizeOf(graph.nodes[node.inputs[1]!]!.type.shape);
    const current = open.get(source);
    const fits = current && current.elements + elements <= most;
    const product = fits ? current : { layers: [], elements: 0 };
    product.layers.push(id);
    product.elements += elements;
    open.set(source, product);
    products.set(id, product.layers);
  });
  return products;
}

function outputsOf(graph: OpGraph, linear: number): number {
  return graph.nodes[linear]!.type.shape[1]!;
}

/** A linear layer of parameters as they are in the checkpoint. */
function isProjection(graph: OpGraph, { op, inputs }: OpNode): boolean {
  return op === 'linear' && inputs.slice(1).every((i) => graph.nodes[i]!.op === 'param');
}
