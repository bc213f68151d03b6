// What the backward pass computes a second time instead of keeping it. Norm, FiLM, activation functions, dropout and
// upsampling are computed by kernels as they load, and a skip concat is a copy: the forward pass need not store them. Each
// reader of such a chain gets one of its own, so that a fusion can take it into the reader; the cotangents on the way back
// through an activation function and FiLM are written likewise. Masks are drawn again, once for all readers. Vectors of a
// sample are small: they are kept. What is written in a block that is recomputed (`blocks.ts`) is computed once more for all its
// readers, just before the first of them, by the same ops over the same chains as in the forward pass, and so to the same bits.

import type { OpGraphBuilder } from '../../opgraph/build.ts';
import type { OpGraph, OpNode } from '../../opgraph/opgraph.ts';
import { isActivation } from '../../ops/activations.ts';
import type { OpName } from '../../ops/op.ts';
import type { IsRecomputed } from './blocks.ts';

export interface Recomputer extends Pick<OpGraphBuilder, 'add' | 'typeOf'> {
  /** A value of the forward pass for a reader of the backward pass. */
  value(id: number): number;
  /** A cotangent for one more reader. */
  cotangent(id: number): number;
}

type Added = Pick<OpNode, 'op' | 'inputs' | 'attrs' | 'path'>;

/** Adds to `b`, whose first nodes are the graph's. Values that are not among `moves` are parameters and the like. */
export function createRecomputer(
  graph: OpGraph,
  b: OpGraphBuilder,
  moves: ReadonlySet<number>,
  isRecomputed: IsRecomputed,
): Recomputer {
  const added = new Map<number, Added>();
  /** Skip concats and masks, which are written. */
  const written = new Map<number, number>();
  /** Values of recomputed blocks, which are written a second time. */
  const again = new Map<number, number>();
  const read = new Set<number>();
  const add: Recomputer['add'] = (op, inputs, attrs, path) => {
    const id = b.add(op, inputs, attrs, path);
    added.set(id, { op, inputs, attrs, path });
    return id;
  };
  const value = (id: number): number => {
    const node = graph.nodes[id]!;
    const cheap = moves.has(id) && isCheap(node.op) && node.type.shape.length !== 2;
    if (!cheap && node.op !== 'dropout_mask') return stored(id);
    const known = written.get(id);
    if (known !== undefined) return known;
    const path = node.path === '' ? 'gradient' : `${node.path}.gradient`;
    const copied = add(node.op, node.inputs.map(value), node.attrs, path);
    if (node.op === 'concat' || node.op === 'dropout_mask') written.set(id, copied);
    return copied;
  };
  /** A value that is stored: in the forward pass, or where its block is recomputed once more. */
  const stored = (id: number): number => {
    const node = graph.nodes[id]!;
    if (!moves.has(id) || !isRecomputed(id) || node.type.shape.length === 2 || isConstant(graph, id))
      return id;
    const known = again.get(id);
    if (known !== undefined) return known;
    const copied = add(node.op, node.inputs.map(chain), node.attrs, `${node.path}.recomputed`);
    again.set(id, copied);
    return copied;
  };
  /** A value for an op of the forward pass that is computed again: what its kernel computes as it loads is its own there, too. */
  const chain = (id: number): number => {
    const node = graph.nodes[id]!;
    if (node.op === 'dropout_mask') return value(id);
    if (!isCheap(node.op) || node.type.shape.length === 2 || isConstant(graph, id)) return stored(id);
    return add(node.op, node.inputs.map(chain), node.attrs, `${node.path}.recomputed`);
  };
  /** A chain of the backward pass once more: the gradients of FiLM and activation function, and what they compute again. */
  const renew = (id: number): number => {
    const node = added.get(id);
    if (!node || node.op === 'concat' || !isChain(node.op)) return id;
    return add(node.op, node.inputs.map(renew), node.attrs, node.path);
  };
  const isNormed = (id: number): boolean => {
    const node = added.get(id);
    if (node?.op === 'group_norm') return true;
    return node?.op === 'film' || node?.op === 'activation_gradient' || node?.op === 'film_gradient'
      ? isNormed(node.inputs[0]!)
      : false;
  };
  return {
    add,
    typeOf: b.typeOf,
    value,
    cotangent(id) {
      if (!read.has(id) || !isNormed(id)) {
        read.add(id);
        return id;
      }
      return renew(id);
    },
  };
}

/** Whether kernels compute an op as they load, or it only moves what is stored elsewhere. */
function isCheap(op: OpName): boolean {
  return (
    isActivation(op) ||
    op === 'group_norm' ||
    op === 'film' ||
    op === 'apply_mask' ||
    op === 'reshape' ||
    op === 'upsample_nearest' ||
    op === 'concat'
  );
}

/** A masked cotangent is none: the convolution that computes it writes it masked, for all its readers. */
function isChain(op: OpName): boolean {
  return (isCheap(op) && op !== 'apply_mask') || op === 'activation_gradient' || op === 'film_gradient';
}

/** Whether a value is made of parameters alone. */
function isConstant(graph: OpGraph, id: number): boolean {
  const { op, inputs } = graph.nodes[id]!;
  return op === 'param' || (inputs.length > 0 && inputs.every((input) => isConstant(graph, input)));
}
