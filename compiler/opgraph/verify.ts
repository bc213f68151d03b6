// What holds of every OpGraph: values are defined before they are used, types follow from the ops, names are unique.

import { InternalError } from '../diagnostics.ts';
import { isOpName } from '../ops/index.ts';
import { formatType, sameShape } from '../ops/operands.ts';
import { ATTR_KINDS, type AttrKind, isAttr } from './attrs.ts';
import { inferType } from './build.ts';
import type { OpGraph, OpNode } from './opgraph.ts';

/** Throws InternalError that names the first node or output which breaks an invariant. */
export function verifyOpGraph(graph: OpGraph): void {
  const names = new Set<string>();
  graph.nodes.forEach((node, id) => {
    verifyOp(node, id);
    verifyOperands(graph, node, id);
    verifyType(graph, node, id);
    if (node.op === 'input' || node.op === 'param') {
      const name = `${node.op} ${node.attrs.name}`;
      demandAt(node, id, !names.has(name), () => `${name} is already there: each is one node`);
      names.add(name);
    }
  });
  verifyOutputs(graph);
}

function demandAt(node: OpNode, id: number, condition: boolean, message: () => string): void {
  if (!condition) throw new InternalError(`%${id} = ${node.op} (${node.path || 'no path'}): ${message()}`);
}

function verifyOp(node: OpNode, id: number): void {
  demandAt(node, id, isOpName(node.op), () => 'no such op');
  demandAt(node, id, !/[\r\n]/.test(node.path), () => 'the path has a line break');
  const kinds: Readonly<Record<string, AttrKind>> = ATTR_KINDS[node.op];
  const attrs: Readonly<Record<string, unknown>> = node.attrs;
  for (const name of Object.keys(kinds)) {
    const kind = kinds[name]!;
    demandAt(node, id, isAttr(kind, attrs[name]), () => `attribute ${name} is not a ${kind}`);
  }
  const unknown = Object.keys(attrs).filter((name) => !Object.hasOwn(kinds, name));
  demandAt(node, id, unknown.length === 0, () => `unknown attributes ${unknown.join(', ')}`);
}

function verifyOperands(graph: OpGraph, node: OpNode, id: number): void {
  for (const input of node.inputs) {
    const defined = Number.isInteger(input) && input >= 0 && input < id;
    demandAt(node, id, defined, () => `operand %${input} is not an earlier node`);
  }
  if (node.op !== 'param_concat') return;
  for (const input of node.inputs) {
    const known = isKnownAtLoad(graph, input);
    demandAt(node, id, known, () => `operand %${input} is not known when weights are loaded`);
  }
}

/** Whether a value is made of parameters alone, without arithmetic. */
function isKnownAtLoad(graph: OpGraph, id: number): boolean {
  const { op, inputs } = graph.nodes[id]!;
  if (op === 'param') return true;
  return (
    (op === 'param_concat' || op === 'cast' || op === 'reshape') &&
    inputs.every((i) => isKnownAtLoad(graph, i))
  );
}

function verifyType(graph: OpGraph, node: OpNode, id: number): void {
  const whole = node.type.shape.every((d) => Number.isSafeInteger(d) && d >= 1);
  demandAt(
    node,
    id,
    whole,
    () => `${formatType(node.type)} has a size that is not a whole number of at least 1`,
  );
  const operands = node.inputs.map((i) => graph.nodes[i]!.type);
  const inferred = inferType(id, node.op, operands, node.attrs, node.path);
  const same = inferred.dtype === node.type.dtype && sameShape(inferred.shape, node.type.shape);
  demandAt(node, id, same, () => `has the type ${formatType(node.type)}, but gives ${formatType(inferred)}`);
}

function verifyOutputs({ nodes, outputs }: OpGraph): void {
  if (outputs.length === 0) throw new InternalError('the graph has no outputs');
  const names = new Set<string>();
  for (const { name, value } of outputs) {
    if (!/^[\w.]+$/.test(name)) throw new InternalError(`output "${name}" is not a name`);
    if (names.has(name)) throw new InternalError(`output ${name} is there twice`);
    if (nodes[value] === undefined) throw new InternalError(`output ${name}: %${value} does not exist`);
    names.add(name);
  }
}
