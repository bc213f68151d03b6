// The gradients of an activation function, of FiLM and of the norm in front of them are one pass: it computes the normalised
// activation again from what was normalised, and with it the cotangents on the way, none of which is ever written.

import type { OpGraph, OpNode } from '../../opgraph/opgraph.ts';
import type { OpName } from '../../ops/op.ts';
import { type Uses, usesOf } from '../groups.ts';
import type { FusedOp, FusionGroup, MapGroup, NormGradientGroup } from '../schedule.ts';
import type { Fusion } from './fusion.ts';

export const fuse_norm_gradient: Fusion = {
  name: 'fuse_norm_gradient',
  run: (graph, groups) => {
    const uses = usesOf(graph, groups);
    const gone = new Set<FusionGroup>();
    const fused = groups.map((group) => {
      const found = group.kind === 'norm_gradient' ? chainOf(graph, uses, group) : null;
      if (!found) return group;
      for (const map of found.maps) gone.add(map);
      return found.fused;
    });
    return fused.filter((group) => !gone.has(group));
  },
};

/** The fused group, and the maps that it takes in; null where something on the way has another reader or another form. */
function chainOf(
  graph: OpGraph,
  uses: Uses,
  group: NormGradientGroup,
): { readonly fused: NormGradientGroup; readonly maps: readonly MapGroup[] } | null {
  const [x, cotangent] = group.sources;
  if (group.through.length > 0) return null;
  const maps: MapGroup[] = [];
  const take = (op: OpName, value: number): FusedOp | null => {
    const map = uses.producer(value);
    const only = map?.kind === 'map' && uses.readers(value) === 1 ? onlyOp(map) : null;
    if (map?.kind !== 'map' || !only || graph.nodes[only.node]!.op !== op) return null;
    maps.push(map);
    return only;
  };
  const sourceOf = () => maps.at(-1)!.sources[0]!;
  const filmGradient = take('film_gradient', cotangent!);
  const activation = take('activation_gradient', filmGradient ? sourceOf() : cotangent!);
  if (!activation?.operand) return null;
  const film = filmGradient ? take('film', sourceOf()) : null;
  if (filmGradient && !film) return null;
  const norm = take('group_norm', sourceOf());
  if (!norm || sourceOf() !== x || !sameNorm(graph, norm.node, group.anchor)) return null;
  const through = [norm, film, { node: activation.node, operand: null }, filmGradient].flatMap(
    (op) => op ?? [],
  );
  return { fused: { ...group, sources: [x!, activation.operand.value], through }, maps };
}

/** The op of a map that is nothing but one. */
function onlyOp(map: MapGroup): FusedOp | null {
  const [op, ...more] = [...map.prologue, ...map.epilogue];
  const plain = map.upsample === null && map.sources.length === 1 && more.length === 0;
  return plain && op ? op : null;
}

/** Whether a norm is the one whose gradient another node is. */
function sameNorm(graph: OpGraph, norm: number, gradient: number): boolean {
  const [a, b]: readonly OpNode[] = [graph.nodes[norm]!, graph.nodes[gradient]!];
  if (a?.op !== 'group_norm' || b?.op !== 'group_norm_gradient') return false;
  return a.inputs[1] === b.inputs[1] && a.attrs.groups === b.attrs.groups && a.attrs.eps === b.attrs.eps;
}
