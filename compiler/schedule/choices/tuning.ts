// What was measured of convolutions on an adapter: times by group and candidate. A group's key says what it computes and
// nothing of how, so that it is the same whatever was chosen, and nothing of the batch.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph, OpNode } from '../../opgraph/opgraph.ts';
import { isActivation } from '../../ops/activations.ts';
import type { OpName } from '../../ops/op.ts';
import type { ConvGroup } from '../schedule.ts';

/** Microseconds of one sample, by key of the group and name of the candidate. */
export type Tuning = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The key of a convolution group, such as `conv 128>256 3x3 s1 p1 16x16 norm`. */
export function keyOf(graph: OpGraph, group: ConvGroup): string {
  const node = convolutionOf(graph, group);
  const { dtype } = node.type;
  return [
    ...wordsOf(graph, node),
    ...(isNormed(graph, group) ? ['norm'] : []),
    ...(group.skip ? ['skip'] : []),
    ...(dtype === 'f32' ? [] : [dtype]),
  ].join(' ');
}

type Convolution = Extract<OpNode, { op: 'conv' | 'conv_transpose' }>;

/** The words of a key that say which convolution it is, whatever is fused into it. */
function wordsOf(graph: OpGraph, node: Convolution): readonly string[] {
  const [first, second, ...kernel] = graph.nodes[node.inputs[1]!]!.type.shape;
  const [inputs, outputs] = node.op === 'conv' ? [second, first] : [first, second];
  return [
    node.op,
    `${inputs}>${outputs}`,
    kernel.join('x'),
    `s${each(node.attrs.stride)}`,
    `p${each(node.attrs.padding)}`,
    node.type.shape.slice(2).join('x'),
  ];
}

/** What a tuning knows of the convolutions of a graph, however they are fused; all else of it changes nothing there. */
export function tuningOfGraph(graph: OpGraph, tuning: Tuning): Tuning {
  const own = new Set(
    graph.nodes.flatMap((node) =>
      node.op === 'conv' || node.op === 'conv_transpose' ? [wordsOf(graph, node).join(' ')] : [],
    ),
  );
  const isOwn = (key: string) => [...own].some((words) => key === words || key.startsWith(`${words} `));
  return Object.fromEntries(
    Object.entries(tuning)
      .filter(([key]) => isOwn(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether a group norm stands in front of a convolution, with what is applied to its result on the way. */
export function isNormed(graph: OpGraph, group: ConvGroup): boolean {
  let node: OpNode = graph.nodes[convolutionOf(graph, group).inputs[0]!]!;
  const passes = (op: OpName) =>
    isActivation(op) || op === 'film' || op === 'apply_mask' || op === 'cast' || op === 'reshape';
  while (passes(node.op)) node = graph.nodes[node.inputs[0]!]!;
  return node.op === 'group_norm';
}

function convolutionOf(graph: OpGraph, group: ConvGroup): Convolution {
  const node = graph.nodes[group.anchor]!;
  invariant(node.op === 'conv' || node.op === 'conv_transpose', `%${group.anchor} is no convolution`);
  return node;
}

/** `1` for sizes that are all 1, else `1x2`. */
function each(sizes: readonly number[]): string {
  return new Set(sizes).size === 1 ? String(sizes[0]) : sizes.join('x');
}
