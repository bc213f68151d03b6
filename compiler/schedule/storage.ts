// Where values stand. On a processor a storage texture is read at half the cost of a buffer, and a kernel that reads
// textures is a tenth of the code: convolutions, attention and what is between them keep activations in textures. The
// interface, the time path and the few ops that are rarely used keep them in buffers; where the two meet, a transfer
// brings a value from one to the other.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import { plainGroup } from './groups.ts';
import type { Group, Home, ScheduledGroup } from './schedule.ts';
import { nodeOf, resolveView } from './values.ts';

/** Texels of a row of a storage texture; a value fills rows in the order of its vectors. */
export const TEXTURE_WIDTH = 2048;

/** Where a group's kernel reads and writes activations. */
export function homeOf(graph: OpGraph, group: Group, target: Target): Home {
  if (target.products !== 'subgroup') return 'buffer';
  switch (group.kind) {
    case 'conv':
    case 'map':
    case 'statistics':
    case 'affine':
      return 'texture';
    case 'attention': {
      const { type, attrs } = nodeOf(graph, group.anchor, 'attention');
      return (type.shape[1]! / attrs.heads) % 4 === 0 ? 'texture' : 'buffer';
    }
    default:
      return 'buffer';
  }
}

/** A value that a group reads, and where it expects it: time projections are rows of a linear layer's result. */
export interface ValueRead {
  readonly value: number;
  readonly home: Home;
}

/** Every value that a group reads, with repetition. */
export function valuesRead(graph: OpGraph, group: ScheduledGroup): readonly ValueRead[] {
  const here = (value: number): ValueRead => ({ value, home: group.home });
  const operands = [...group.prologue, ...group.epilogue].flatMap(({ node, operand }): ValueRead[] => {
    if (!operand) return [];
    const projection = graph.nodes[node]!.op !== 'add';
    // what an affine group has computed of a time projection, its reader does not read again
    if (projection && group.affine && group.prologue.some((op) => op.node === node)) return [];
    return [projection ? { value: operand.value, home: 'buffer' } : here(operand.value)];
  });
  switch (group.kind) {
    case 'transfer':
      return [{ value: group.result, home: group.home === 'buffer' ? 'texture' : 'buffer' }];
    case 'affine':
      return operands;
    case 'merge_statistics':
      return [];
    default:
      return [...group.sources.map(here), ...(group.skip?.sources ?? []).map(here), ...operands];
  }
}

/** Inserts a transfer before the first group that reads a value where it is not, and behind the last for outputs. */
export function insertTransfers(
  graph: OpGraph,
  groups: readonly ScheduledGroup[],
): readonly ScheduledGroup[] {
  const standing = new Set<string>();
  const scheduled: ScheduledGroup[] = [];
  graph.nodes.forEach((node, id) => {
    if (node.op === 'input' || node.op === 'timestep_embedding') standing.add(`buffer ${id}`);
  });
  const demand = ({ value, home }: ValueRead) => {
    if (standing.has(`${home} ${value}`)) return;
    standing.add(`${home} ${value}`);
    scheduled.push({
      ...plainGroup('transfer', value),
      tile: null,
      writes: null,
      reads: [],
      winograd: null,
      reason: null,
      home,
      affine: false,
    });
  };
  for (const group of groups) {
    for (const read of valuesRead(graph, group)) demand(read);
    scheduled.push(group);
    if (group.kind !== 'affine') standing.add(`${group.home} ${group.result}`);
  }
  for (const { value } of graph.outputs) demand({ value: resolveView(graph, value).value, home: 'buffer' });
  return scheduled;
}
