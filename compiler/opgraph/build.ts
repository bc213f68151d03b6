// Builds an OpGraph node by node; every type is inferred, so a node that does not fit never comes to be.

import { InternalError, invariant } from '../diagnostics.ts';
import { opDef } from '../ops/index.ts';
import type { OpAttrs, OpName, TensorType } from '../ops/op.ts';
import type { OpGraph, OpGraphOutput, OpNode } from './opgraph.ts';

export interface OpGraphBuilder {
  /** Appends a node and returns its id. Throws InternalError where the operands do not fit the op. */
  add<N extends OpName>(op: N, inputs: readonly number[], attrs: OpAttrs[N], path: string): number;
  /** Type of a value added before. */
  typeOf(id: number): TensorType;
  /** The graph of everything added so far. */
  finish(outputs: readonly OpGraphOutput[]): OpGraph;
}

/** An empty graph to add to. */
export function createOpGraphBuilder(): OpGraphBuilder {
  const nodes: OpNode[] = [];
  const typeOf = (id: number): TensorType => {
    const node = nodes[id];
    invariant(node, `%${id} does not exist: the graph has ${nodes.length} nodes so far`);
    return node.type;
  };
  return {
    add(op, inputs, attrs, path) {
      const id = nodes.length;
      const type = inferType(id, op, inputs.map(typeOf), attrs, path);
      nodes.push({ op, inputs: [...inputs], attrs, type, path } as OpNode);
      return id;
    },
    typeOf,
    finish: (outputs) => ({ nodes: [...nodes], outputs: [...outputs] }),
  };
}

/** The type of node `id` by the op's shape rule; a fault names the node and its path. */
export function inferType<N extends OpName>(
  id: number,
  op: N,
  inputs: readonly TensorType[],
  attrs: OpAttrs[N],
  path: string,
): TensorType {
  try {
    return opDef(op).infer(inputs, attrs);
  } catch (error) {
    if (!(error instanceof InternalError)) throw error;
    throw new InternalError(`%${id} (${path || 'no path'}): ${error.message.replace(/^internal: /, '')}`);
  }
}
