// Questions about values of an OpGraph that scheduling and code generation share.

import { invariant } from '../diagnostics.ts';
import type { NodeOf, OpGraph, OpNode } from '../opgraph/opgraph.ts';
import type { OpName } from '../ops/op.ts';

/** A value seen through its views: the value itself, and where a slice's channels begin in it. */
export interface View {
  readonly value: number;
  readonly start: number;
}

/** Looks through reshape, slice, and casts that lose nothing: kernels compute in float32, whatever they load. */
export function resolveView(graph: OpGraph, id: number): View {
  const node = graph.nodes[id]!;
  if (node.op === 'reshape') return resolveView(graph, node.inputs[0]!);
  if (node.op === 'slice') {
    const base = resolveView(graph, node.inputs[0]!);
    return { value: base.value, start: base.start + node.attrs.start };
  }
  if (node.op === 'cast' && !isNarrowing(graph, node)) return resolveView(graph, node.inputs[0]!);
  return { value: id, start: 0 };
}

/** Ops that are no computation of their own: leaves, views, parameters and what the host computes. */
const SILENT: ReadonlySet<OpName> = new Set([
  'input',
  'param',
  'param_concat',
  'reshape',
  'slice',
  'timestep_embedding',
]);

/** Whether some group computes a node. Of casts, groups compute activations to float16; parameters are cast while they load. */
export function isComputed(graph: OpGraph, id: number): boolean {
  const node = graph.nodes[id]!;
  if (node.op === 'cast') return isNarrowing(graph, node) && !isParam(graph, id);
  return !SILENT.has(node.op);
}

/** Whether a value is known when weights are loaded. */
export function isParam(graph: OpGraph, id: number): boolean {
  const { op, inputs } = graph.nodes[id]!;
  return (
    op === 'param' ||
    ((op === 'param_concat' || op === 'cast' || op === 'reshape') && inputs.every((i) => isParam(graph, i)))
  );
}

function isNarrowing(graph: OpGraph, node: OpNode): boolean {
  return node.type.dtype === 'f16' && graph.nodes[node.inputs[0]!]!.type.dtype !== 'f16';
}

/**
 * Whether a value is stored in float16. All float16 values are, but for the results of an attention whose heads end inside
 * quads, and of its gradient: their workgroups write single channels, and two float16 channels share a word.
 */
export function isHalf(graph: OpGraph, id: number): boolean {
  const node = graph.nodes[id]!;
  if (node.type.dtype !== 'f16') return false;
  if (node.op === 'attention') return (node.type.shape[1]! / node.attrs.heads) % 4 === 0;
  if (node.op === 'attention_gradient') return (node.type.shape[1]! / (3 * node.attrs.heads)) % 4 === 0;
  return true;
}

/** The node, which must be an `op`. */
export function nodeOf<N extends OpName>(graph: OpGraph, id: number, op: N): NodeOf<N> {
  const node = graph.nodes[id];
  invariant(node?.op === op, `%${id} is ${node?.op}, expected ${op}`);
  return node as NodeOf<N>;
}

/** Sizes of a value as kernels see it: [B, C, D, H, W] with missing dimensions 1. */
export interface Extent {
  readonly batch: number;
  readonly channels: number;
  readonly depth: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: number;
  /** Vectors of four channels that hold a pixel. */
  readonly quads: number;
}

export function extentOf(graph: OpGraph, id: number): Extent {
  const { shape } = graph.nodes[id]!.type;
  // a vector stands there as one row
  const [batch = 1, channels = 1, ...space] = shape.length === 1 ? [1, ...shape] : shape;
  const [depth, height, width] = padSpace(space, 1);
  return {
    batch,
    channels,
    depth,
    height,
    width,
    pixels: depth * height * width,
    quads: Math.ceil(channels / 4),
  };
}

/** Vectors of four channels of all values that are read as one. */
export function quadsOf(graph: OpGraph, values: readonly number[]): number {
  return values.reduce((sum, value) => sum + extentOf(graph, value).quads, 0);
}

/** A per-dimension list as [depth, height, width], filled in front. */
export function padSpace(sizes: readonly number[], fill: number): readonly [number, number, number] {
  return [sizes.at(-3) ?? fill, sizes.at(-2) ?? fill, sizes.at(-1) ?? fill];
}
