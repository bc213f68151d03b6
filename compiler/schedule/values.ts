// Questions about values of an OpGraph that scheduling and code generation share.

import { invariant } from '../diagnostics.ts';
import type { NodeOf, OpGraph, OpNode } from '../opgraph/opgraph.ts';
import type { OpName } from '../ops/op.ts';

/** A value seen through its views: the value itself, and where a slice's channels begin in it. */
export interface View {
  readonly value: number;
  readonly start: number;
}

/** Looks through reshape and slice. */
export function resolveView(graph: OpGraph, id: number): View {
  const node = graph.nodes[id]!;
  if (node.op === 'reshape') return resolveView(graph, node.inputs[0]!);
  if (node.op === 'slice') {
    const base = resolveView(graph, node.inputs[0]!);
    return { value: base.value, start: base.start + node.attrs.start };
  }
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

export function isComputed(node: OpNode): boolean {
  return !SILENT.has(node.op);
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
  const [batch = 1, channels = 1, ...space] = graph.nodes[id]!.type.shape;
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

/** A per-dimension list as [depth, height, width], filled in front. */
export function padSpace(sizes: readonly number[], fill: number): readonly [number, number, number] {
  const all = [fill, fill, fill, ...sizes].slice(-3);
  return [all[0]!, all[1]!, all[2]!];
}
