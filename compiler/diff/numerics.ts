// The numerics family: the same parameters, other arithmetic.

import { type Finding, type FindingDraft, finding } from './finding.ts';
import { factOf, LAYER_FACTS } from './layer-facts.ts';
import type { BlockPair } from './match.ts';
import { layerPairParameters, sameShape } from './parameters.ts';
import { pointerTo } from './pointers.ts';
import type { RuleId } from './rules.ts';
import { type DiffSide, type GraphPair, known } from './side.ts';

/** Compares the options of layers that are on both sides, where the weights family has not said it already. */
export function diffNumerics(sides: GraphPair, blocks: readonly BlockPair[]): readonly Finding[] {
  const graphs = { a: sides.a.graph, b: sides.b.graph };
  const drafts = blocks.flatMap(({ layers }) =>
    layers.flatMap((pair): readonly FindingDraft[] => {
      const { a, b, role } = pair;
      if (!a || !b) return [];
      const same = layerPairParameters(pair, graphs).every((p) => p.a && p.b && sameShape(p.a, p.b));
      return LAYER_FACTS.flatMap(
        ({ field, reinterpreted, otherwise, unknown, keys }): readonly FindingDraft[] => {
          const [before, after] = [factOf(a, field), factOf(b, field)];
          if (before === after || (unknown && !known(sides, unknown))) return [];
          if (same && reinterpreted.startsWith('weights/')) return [];
          const message = `${field} ${before} became ${after}`;
          return [
            {
              rule: otherwise,
              change: '~',
              place: role.name,
              path: { a: a.path, b: b.path },
              pointer: pointerTo(sides, keys, b.path, field),
              before: `${field} ${before}`,
              after: `${field} ${after}`,
              message,
            },
          ];
        },
      );
    }),
  );
  return drafts.map(finding);
}

/** Compares what two bundles were compiled with. A graph says nothing of it. */
export function diffCompiled({ a, b }: { readonly a: DiffSide; readonly b: DiffSide }): readonly Finding[] {
  if (!a.compiled || !b.compiled) return [];
  const [from, to] = [a.compiled, b.compiled];
  const rows: readonly (readonly [RuleId, string, string, string])[] = [
    ['interface/batch', 'batch', String(from.batch), String(to.batch)],
    ['interface/taps', 'taps', from.taps ? 'with' : 'without', to.taps ? 'with' : 'without'],
    ['numerics/precision', 'precision', from.precision, to.precision],
    ['numerics/strict', 'strict', String(from.strict), String(to.strict)],
    ['numerics/epsilon', 'epsilon', from.epsilons.join(', '), to.epsilons.join(', ')],
    [
      'numerics/timestep-period',
      'max_period',
      String(from.max_period ?? 'none'),
      String(to.max_period ?? 'none'),
    ],
  ];
  return rows
    .filter(([, , before, after]) => before !== after)
    .map(([rule, place, before, after]) =>
      finding({
        rule,
        change: '~',
        place: `bundle.${place}`,
        pointer: '',
        before,
        after,
        message: `${place} ${before} became ${after}`,
      }),
    );
}
