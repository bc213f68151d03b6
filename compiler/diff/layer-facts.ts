// What changed in the options of a layer, or of what stands beside the blocks, and the rule that each change falls under.
// Which options there are and what they mean, their files in layers/ say.

import type { Fact } from '../layers/fact.ts';
import type { FindingDraft } from './finding.ts';
import { type ModulePair, sameParameters } from './parameters.ts';
import { optionPointer } from './pointers.ts';
import type { RuleId } from './rules.ts';
import { type GraphPair, knownOption } from './side.ts';

/**
 * One draft an option that is other in B than in A. Where all parameters are the same, a change of meaning is silent, and
 * of the weights family.
 */
export function optionDrafts(sides: GraphPair, place: string, pair: ModulePair): readonly FindingDraft[] {
  const { a, b } = pair;
  if (!a || !b) return [];
  const before = new Map(a.facts.map(({ field, text }) => [field, text]));
  const same = sameParameters(pair);
  return b.facts.flatMap(({ field, text, fact }): readonly FindingDraft[] => {
    const had = before.get(field);
    if (had === text || !knownOption(sides, field)) return [];
    const rule = ruleOf(fact, same);
    const silent = rule.startsWith('weights/') ? ', and every key and shape stayed' : '';
    return [
      {
        rule,
        change: '~',
        place,
        path: { a: a.path, b: b.path },
        pointer: optionPointer(sides, b.path, field),
        before: `${field} ${had}`,
        after: `${field} ${text}`,
        message: `${field} ${had} became ${text}${silent}`,
      },
    ];
  });
}

function ruleOf(fact: Fact, same: boolean): RuleId {
  if (fact.changes === 'meaning' && same) return `weights/reinterpreted-${fact.rule ?? 'option'}`;
  return `numerics/${fact.rule ?? 'option'}`;
}
