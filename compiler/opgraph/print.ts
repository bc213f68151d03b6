// Prints an OpGraph, one stable line a node; `parse.ts` reads the same text back.

import { formatType } from '../ops/operands.ts';
import { attrKinds, formatAttr } from './attrs.ts';
import type { OpGraph, OpNode } from './opgraph.ts';

/** `%12 = conv(%10, %11, %3) {stride=[1, 1], padding=[1, 1]} : f32[1,128,32,32]  # input_blocks.1.0.in_layers.2` */
export function printOpNode(node: OpNode, id: number): string {
  const values = new Map<string, unknown>(Object.entries(node.attrs));
  const attrs = attrKinds(node.op).map(([name, kind]) => `${name}=${formatAttr(kind, values.get(name))}`);
  const operands = node.inputs.map((i) => `%${i}`).join(', ');
  const shownAttrs = attrs.length > 0 ? ` {${attrs.join(', ')}}` : '';
  const shownPath = node.path === '' ? '' : `  # ${node.path}`;
  return `%${id} = ${node.op}(${operands})${shownAttrs} : ${formatType(node.type)}${shownPath}`;
}

/** All nodes in order, then `return output=%42, middle=%17`; ends with a newline. */
export function printOpGraph(graph: OpGraph): string {
  const outputs = graph.outputs.map(({ name, value }) => `${name}=%${value}`).join(', ');
  return [...graph.nodes.map(printOpNode), `return ${outputs}`, ''].join('\n');
}
