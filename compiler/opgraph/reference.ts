// Evaluates an OpGraph op by op in float64, without a GPU: the oracle that kernels are held to.

import { invariant } from '../diagnostics.ts';
import { roundToHalf } from '../ops/cast.ts';
import { opDef } from '../ops/index.ts';
import { type RefTensor, type Shape, sizeOf } from '../ops/op.ts';
import { sameShape } from '../ops/operands.ts';
import type { OpGraph, OpNode } from './opgraph.ts';

/** The inputs of the graph by name; labels are whole numbers. */
export type RefInputs = Readonly<Record<string, RefTensor | undefined>>;

/** Reads a parameter by its checkpoint name, row-major. */
export type ParamReader = (name: string, shape: Shape) => Float32Array;

/** Whether a value is rounded to float16 when it has been computed. */
export type Rounds = (node: OpNode, id: number) => boolean;

/** Sees every value right after it was computed; values belong to the executor and must not be written to. */
export type RefObserver = (node: OpNode, id: number, value: RefTensor) => void;

/**
 * The outputs of `graph` by name. Float16 values are rounded after each op, or where `rounds` says: fused kernels round
 * what they store. Float32 values keep their float64 digits, so that of float32 only the rounding of parameters and
 * inputs remains. A parameter is read at its first use, every value is dropped after its last, and what no output needs
 * is not computed.
 */
export function runReference(
  graph: OpGraph,
  params: ParamReader,
  inputs: RefInputs,
  observe?: RefObserver,
  rounds: Rounds = ({ type }) => type.dtype === 'f16',
): Map<string, RefTensor> {
  const remaining = countUses(graph);
  const live = new Map<number, RefTensor>();

  const evaluate = (id: number): RefTensor => {
    const node = graph.nodes[id]!;
    const operands = node.inputs.map(read);
    const exact = checked(node, id, compute(node, operands, params, inputs));
    const value = rounds(node, id) ? { ...exact, data: exact.data.map(roundToHalf) } : exact;
    live.set(id, value);
    observe?.(node, id, value);
    for (const input of node.inputs) {
      remaining[input] = remaining[input]! - 1;
      if (remaining[input] === 0) live.delete(input);
    }
    return value;
  };
  const read = (id: number): RefTensor => live.get(id) ?? evaluate(id);

  for (const [id, node] of graph.nodes.entries()) {
    if (node.op !== 'param' && remaining[id]! > 0) evaluate(id);
  }
  return new Map(graph.outputs.map(({ name, value }) => [name, read(value)]));
}

/** How often each value is read by outputs and by nodes that outputs need. */
function countUses({ nodes, outputs }: OpGraph): Int32Array {
  const uses = new Int32Array(nodes.length);
  for (const { value } of outputs) uses[value]!++;
  for (let id = nodes.length - 1; id >= 0; id--) {
    if (uses[id]! > 0) for (const input of nodes[id]!.inputs) uses[input]!++;
  }
  return uses;
}

function compute(
  node: OpNode,
  operands: readonly RefTensor[],
  params: ParamReader,
  inputs: RefInputs,
): RefTensor {
  switch (node.op) {
    case 'input': {
      const value = inputs[node.attrs.name];
      invariant(value, `the graph takes ${node.attrs.name}, which the reference executor was not given`);
      return value;
    }
    case 'param':
      return {
        shape: node.attrs.shape,
        data: Float64Array.from(params(node.attrs.name, node.attrs.shape)),
      };
    default:
      return opDef(node.op).reference(operands, node.attrs);
  }
}

/** The value, which must be of the shape that was inferred. */
function checked(node: OpNode, id: number, value: RefTensor): RefTensor {
  const { shape } = node.type;
  invariant(
    sameShape(value.shape, shape) && value.data.length === sizeOf(shape),
    `%${id} = ${node.op} (${node.path}): the value is [${value.shape}] of ${value.data.length}, expected [${shape}]`,
  );
  return value;
}
