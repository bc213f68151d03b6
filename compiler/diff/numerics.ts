// The numerics family: the same parameters, other arithmetic.

import { type Finding, finding } from './finding.ts';
import { optionDrafts } from './layer-facts.ts';
import type { BlockPair } from './match.ts';
import { BESIDES, besideModules, layerModules } from './parameters.ts';
import type { RuleId } from './rules.ts';
import type { DiffSide, GraphPair } from './side.ts';

/** Compares the options of what is on both sides, where the weights family has not said it already. */
export function diffNumerics(sides: GraphPair, blocks: readonly BlockPair[]): readonly Finding[] {
  const graphs = { a: sides.a.graph, b: sides.b.graph };
  const layers = blocks.flatMap((block) => block.layers);
  const drafts = [
    ...BESIDES.flatMap((part) =>
      optionDrafts(sides, part === 'out' ? 'head' : part, besideModules(part, graphs)),
    ),
    ...layers.flatMap((pair) => optionDrafts(sides, pair.role.name, layerModules(pair, graphs))),
  ];
  return drafts.filter(({ rule }) => rule.startsWith('numerics/')).map(finding);
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
