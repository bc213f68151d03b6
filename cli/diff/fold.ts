// Findings that say the same of many places, told once: what text, markdown and annotations print.

import type { FoundFinding } from '../../engine/diff/document.ts';

export interface Fold {
  /** The first of them. */
  readonly one: FoundFinding;
  readonly all: readonly FoundFinding[];
  /** `down[1].attn[0], down[1].attn[1] and 5 more`. */
  readonly places: string;
}

/** Folds findings of one rule, severity, sentence and acceptance, in the order of their first. */
export function foldFindings(findings: readonly FoundFinding[], everyPlace = false): readonly Fold[] {
  const groups = new Map<string, FoundFinding[]>();
  findings.forEach((found, i) => {
    const { rule, severity, change, message, before, after, accepted, pointer } = found;
    const key = everyPlace
      ? String(i)
      : JSON.stringify([rule, severity, change, message, before, after, accepted, pointer]);
    const group = groups.get(key);
    if (group) group.push(found);
    else groups.set(key, [found]);
  });
  return [...groups.values()].map((all) => ({ one: all[0]!, all, places: placesOf(all) }));
}

const NAMED = 3;

function placesOf(all: readonly FoundFinding[]): string {
  const places = [...new Set(all.map(({ place }) => place))];
  const named = places.slice(0, NAMED).join(', ');
  return places.length > NAMED ? `${named} and ${places.length - NAMED} more` : named;
}

/** `heads 4 -> heads 8`, or the one that there is. */
export function changeOf({ before, after }: FoundFinding): string {
  if (before === null || after === null) return before ?? after ?? '';
  return `${before} -> ${after}`;
}
