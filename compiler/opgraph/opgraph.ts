// The SSA graph of tensor ops: the IR that passes rewrite. A node's id is its place in `nodes`.

import type { OpAttrs, OpName, TensorType } from '../ops/op.ts';

/** One op. `inputs` are ids of earlier nodes; `path` is the dotted parameter path of the block it came from. */
export interface NodeOf<N extends OpName> {
  readonly op: N;
  readonly inputs: readonly number[];
  readonly attrs: OpAttrs[N];
  readonly type: TensorType;
  readonly path: string;
}

export type OpNode = { [N in OpName]: NodeOf<N> }[OpName];

/** A named result: `output`, and with taps `down.0` …, `middle`, `up.0` …. */
export interface OpGraphOutput {
  readonly name: string;
  readonly value: number;
}

export interface OpGraph {
  readonly nodes: readonly OpNode[];
  readonly outputs: readonly OpGraphOutput[];
}
