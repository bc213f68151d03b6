// The gradients of an activation function, of FiLM and of the norm in front of them are one pass: it computes the normalised
// activation again from what was normalised, and with it the cotangents on the way, none of which is ever written. So are the
// sums of these cotangents, the gradients of norm and FiLM by their weights and rows.

import type { OpGraph, OpNode } from '../../opgraph/opgraph.ts';
import type { OpName } from '../../ops/op.ts';
import { type Uses, usesOf } from '../groups.ts';
import type { FusedOp, FusionGroup, MapGroup, NormGradientGroup, NormSumsGroup } from '../schedule.ts';
import type { Fusion } from './fusion.ts';

export const fuse_norm_gradient: Fusion = {
  name: 'fuse_norm_gradient',
  run: (graph, groups) => {
    const uses = usesOf(graph, groups);
    const gone = new Set<FusionGroup>();
    const fused = groups.map((group) => {
      const found = fuse(graph, uses, group);
      if (!found) return group;
      for (const map of found.maps) gone.add(map);
      return found.fused;
    });
    return fused.filter((group) => !gone.has(group));
  },
};

interface Found {
  readonly fused: FusionGroup;
  /** The maps that it takes in. */
  readonly maps: readonly MapGroup[];
}

/** The fused group; null where something on the way has another reader or another form. */
function fuse(graph: OpGraph, uses: Uses, group: FusionGroup): Found | null {
  switch (group.kind) {
    case 'norm_gradient':
    case 'norm_sums': {
      if (group.through.length > 0) return null;
      return chainOf(graph, uses, group, {
        back: true,
        sameNorm: (norm) => sameNorm(graph, norm, group.anchor),
      });
    }
    case 'scale_shift_gradient': {
      // the gradient of FiLM by its rows, where a norm is in front of it
      const [x, cotangent] = group.sources;
      const map = uses.producer(x!);
      const norm = map?.kind === 'map' && uses.readers(x!) === 1 ? onlyOp(map) : null;
      if (map?.kind !== 'map' || !norm || graph.nodes[norm.node]!.op !== 'group_norm') return null;
      const sums: NormSumsGroup = {
        ...group,
        kind: 'norm_sums',
        sources: [map.sources[0]!, cotangent!],
        through: [],
      };
      const chain = chainOf(graph, uses, sums, {
        back: false,
        sameNorm: (of) => sameWeights(graph, of, norm.node),
      });
      return chain && { fused: chain.fused, maps: [...chain.maps, map] };
    }
    default:
      return null;
  }
}

interface Chain {
  /** Whether the cotangent is that of what FiLM was applied to, where there is one, or of its result. */
  readonly back: boolean;
  /** Whether the norm of the chain, a node, is the one that it should be. */
  readonly sameNorm: (norm: number) => boolean;
}

function chainOf(
  graph: OpGraph,
  uses: Uses,
  group: NormGradientGroup | NormSumsGroup,
  { back, sameNorm }: Chain,
): Found | null {
  const [x, cotangent] = group.sources;
  const maps: MapGroup[] = [];
  const take = (op: OpName, value: number): FusedOp | null => {
    const map = uses.producer(value);
    const only = map?.kind === 'map' && uses.readers(value) === 1 ? onlyOp(map) : null;
    if (map?.kind !== 'map' || !only || graph.nodes[only.node]!.op !== op) return null;
    maps.push(map);
    return only;
  };
  const sourceOf = () => maps.at(-1)!.sources[0]!;
  const filmGradient = back ? take('film_gradient', cotangent!) : null;
  const activation = take('activation_gradient', filmGradient ? sourceOf() : cotangent!);
  if (!activation?.operand) return null;
  const film = filmGradient || !back ? take('film', sourceOf()) : null;
  if ((filmGradient || !back) && !film) return null;
  const norm = take('group_norm', sourceOf());
  if (!norm || sourceOf() !== x || !sameNorm(norm.node)) return null;
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

/** Whether a norm is the one whose gradient, by what is normalised or by its weights, another node is. */
function sameNorm(graph: OpGraph, norm: number, gradient: number): boolean {
  const [a, b]: readonly OpNode[] = [graph.nodes[norm]!, graph.nodes[gradient]!];
  if (a?.op !== 'group_norm') return false;
  if (b?.op === 'group_norm_gradient' && a.inputs[1] !== b.inputs[1]) return false;
  const isGradient = b?.op === 'group_norm_gradient' || b?.op === 'group_norm_sums';
  return isGradient && a.attrs.groups === b.attrs.groups && a.attrs.eps === b.attrs.eps;
}

/** Whether two norms normalise alike, with the same weights. */
function sameWeights(graph: OpGraph, norm: number, other: number): boolean {
  const [a, b]: readonly OpNode[] = [graph.nodes[norm]!, graph.nodes[other]!];
  if (a?.op !== 'group_norm' || b?.op !== 'group_norm') return false;
  const same = a.inputs[1] === b.inputs[1] && a.inputs[2] === b.inputs[2];
  return same && a.attrs.groups === b.attrs.groups && a.attrs.eps === b.attrs.eps;
}
