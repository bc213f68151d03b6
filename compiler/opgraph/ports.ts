// The inputs of an OpGraph as ports: which encoding each has on the device follows from the ops that read it.

import type { InputSpec } from '../../runtime/bundle.ts';
import { invariant } from '../diagnostics.ts';
import type { OpName } from '../ops/op.ts';
import type { NodeOf, OpGraph, OpNode } from './opgraph.ts';

/** An input, and the value whose storage the host fills: that of the input itself or of its embedding. */
export interface GraphPort {
  readonly spec: InputSpec;
  readonly value: number;
}

/** The ports in the order of the graph's inputs. Throws InternalError where the readers of an input disagree. */
export function portsOf(graph: OpGraph): readonly GraphPort[] {
  return graph.nodes.flatMap((node, id) => (node.op === 'input' ? [portOf(graph, node, id)] : []));
}

/** Ops whose results are sums over samples: they have no batch. */
const SUMMED: ReadonlySet<OpName> = new Set([
  'conv_weight_gradient',
  'embedding_gradient',
  'batch_sum',
  'rows',
]);

/** How an output stands in its slot: a vector as it is, all else in quads of channels, of samples or of a parameter. */
export function outputEncoding(graph: OpGraph, value: number): 'image' | 'parameter' | 'plain' {
  if (graph.nodes[value]!.type.shape.length === 1) return 'plain';
  return isSummed(graph, value) ? 'parameter' : 'image';
}

function isSummed(graph: OpGraph, value: number): boolean {
  const { op, inputs } = graph.nodes[value]!;
  const passes = op === 'reshape' || op === 'add' || op === 'scale' || op === 'cast';
  return SUMMED.has(op) || (passes && isSummed(graph, inputs[0]!));
}

function portOf(graph: OpGraph, { attrs, type }: NodeOf<'input'>, id: number): GraphPort {
  const { name } = attrs;
  const { dtype, shape } = type;
  const [batch = 1] = shape;
  const readers = graph.nodes.flatMap((node, at) => (node.inputs.includes(id) ? [{ node, at }] : []));
  const first = readers[0];
  if (first?.node.op === 'timestep_embedding') {
    const [, ...others] = readers;
    invariant(
      others.length === 0,
      `input ${name} is embedded on the host, and %${others[0]?.at} reads it as well`,
    );
    const spec = { name, encoding: 'timestep', dtype: 'f32', shape: [batch] } as const;
    return { spec: { ...spec, ...first.node.attrs }, value: first.at };
  }
  if (dtype === 'u32') {
    const counts = readers.flatMap(({ node }) => classesIn(graph, node));
    if (counts.length === 0) return { spec: { name, encoding: 'plain', dtype, shape }, value: id };
    const classes = Math.min(...counts);
    return { spec: { name, encoding: 'label', dtype, shape: [batch], classes }, value: id };
  }
  if (shape.length === 1) return { spec: { name, encoding: 'plain', dtype, shape }, value: id };
  return { spec: { name, encoding: 'image', dtype, shape }, value: id };
}

const OF_LOGITS: ReadonlySet<OpName> = new Set([
  'log_softmax_gradient',
  'cross_entropy',
  'cross_entropy_gradient',
  'top_k',
]);

/** How many classes an op knows that reads labels: rows of a table, or logits of a sample. */
function classesIn(graph: OpGraph, { op, inputs }: OpNode): readonly number[] {
  const first = () => graph.nodes[inputs[0]!]!.type.shape;
  if (op === 'embedding') return [first()[0]!];
  return OF_LOGITS.has(op) ? [first()[1]!] : [];
}
