// What a fusion is, and the two moves that fusions are made of.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { OpName } from '../../ops/op.ts';
import { type Uses, usesOf } from '../groups.ts';
import { stagesOf } from '../prologue.ts';
import type {
  ConvGroup,
  FusedOp,
  FusionGroup,
  LinearGroup,
  MapGroup,
  NormGradientGroup,
} from '../schedule.ts';

export interface Fusion {
  readonly name: string;
  /** Fewer groups that compute the same values. */
  readonly run: (graph: OpGraph, groups: readonly FusionGroup[]) => readonly FusionGroup[];
}

/** Whether kernels have code for these ops in front of an anchor. */
export function isPrologue(graph: OpGraph, ops: readonly FusedOp[]): boolean {
  return ops.length > 0 && stagesOf(graph, ops) !== null;
}

/**
 * Merges map groups into their only reader: `merge(map, reader)` gives the fused group, or null where the pair does
 * not fit. The fused group stands where the reader stood.
 */
export function absorbIntoReader(
  groups: readonly FusionGroup[],
  graph: OpGraph,
  merge: (map: MapGroup, reader: FusionGroup) => FusionGroup | null,
): readonly FusionGroup[] {
  return mergePairs(groups, graph, (reader, uses) => {
    for (const source of reader.sources) {
      const map = uses.producer(source);
      if (map?.kind !== 'map' || map.epilogue.length > 0 || uses.readers(source) !== 1) continue;
      if (reader.sources.length !== 1) continue;
      const fused = merge(map, reader);
      if (fused) return { gone: map, fused };
    }
    return null;
  });
}

/**
 * Merges map groups of one epilogue op into the group that computes what the op is applied to. `accept` says whether
 * a producer takes the op. The fused group stands where the map stood, after everything the op reads.
 */
export function absorbIntoProducer(
  groups: readonly FusionGroup[],
  graph: OpGraph,
  accept: (producer: ConvGroup | LinearGroup | NormGradientGroup, op: OpName) => boolean,
): readonly FusionGroup[] {
  const place = new Map(groups.map((g, i) => [g.anchor, i]));
  return mergePairs(groups, graph, (map, uses) => {
    if (map.kind !== 'map') return null;
    const ops = [...map.prologue, ...map.epilogue];
    const [op] = ops;
    if (map.upsample !== null || map.sources.length !== 1 || ops.length !== 1 || !op) return null;
    const source = map.sources[0]!;
    // an add can be applied to either operand: the one computed last leaves the other ready to be read
    const candidates: { value: number; fused: FusedOp }[] = [{ value: source, fused: op }];
    const name = graph.nodes[op.node]!.op;
    if (name === 'add' && op.operand) {
      candidates.push({
        value: op.operand.value,
        fused: { node: op.node, operand: { value: source, start: 0 } },
      });
    }
    const fitting = candidates.flatMap(({ value, fused }) => {
      const producer = uses.producer(value);
      if (producer?.kind !== 'conv' && producer?.kind !== 'linear' && producer?.kind !== 'norm_gradient')
        return [];
      return uses.readers(value) === 1 && accept(producer, name) ? [{ producer, fused }] : [];
    });
    fitting.sort((a, b) => place.get(b.producer.anchor)! - place.get(a.producer.anchor)!);
    const best = fitting[0];
    if (!best) return null;
    const { producer, fused } = best;
    return {
      gone: producer,
      fused: { ...producer, epilogue: [...producer.epilogue, fused], result: map.result },
    };
  });
}

/** Applies `find` to each group until nothing merges: the group is replaced by `fused`, and `gone` is dropped. */
function mergePairs(
  groups: readonly FusionGroup[],
  graph: OpGraph,
  find: (
    group: FusionGroup,
    uses: Uses,
  ) => { readonly gone: FusionGroup; readonly fused: FusionGroup } | null,
): readonly FusionGroup[] {
  const uses = usesOf(graph, groups);
  const merged = new Set(groups);
  return groups
    .map((group) => {
      let current = group;
      while (merged.has(current)) {
        const found = find(current, uses);
        if (!found) break;
        for (const old of [found.gone, current]) {
          merged.delete(old);
          uses.remove(old);
        }
        merged.add(found.fused);
        uses.insert(found.fused);
        current = found.fused;
      }
      return current;
    })
    .filter((group) => merged.has(group));
}
