// Compares parameters alone, by name: all that can be said where a side is a checkpoint of another family.

import type { Parameter } from '../graph/parameters.ts';
import { count } from '../graph/words.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { sameShape } from './parameters.ts';
import type { DiffSide } from './side.ts';

/** One finding a module: the tensors whose names begin alike. */
export function diffParameters(sides: { readonly a: DiffSide; readonly b: DiffSide }): readonly Finding[] {
  const [a, b] = [byName(sides.a), byName(sides.b)];
  const removed = [...a.values()].filter(({ name }) => !b.has(name));
  const added = [...b.values()].filter(({ name }) => !a.has(name));
  const reshaped = [...a.values()].filter((p) => b.has(p.name) && !sameShape(p, b.get(p.name)!));
  const drafts: FindingDraft[] = [
    ...grouped(removed, (module, list): FindingDraft => {
      const message = `${tensors(list)} gone`;
      return {
        ...at(module, 'a'),
        rule: 'weights/removed',
        change: '-',
        before: shown(list[0]!),
        after: null,
        message,
        details: list.map(shown),
      };
    }),
    ...grouped(added, (module, list): FindingDraft => {
      const message = `${tensors(list)} new, which no old checkpoint has`;
      return {
        ...at(module, 'b'),
        rule: 'weights/added',
        change: '+',
        before: null,
        after: shown(list[0]!),
        message,
        details: list.map(shown),
      };
    }),
    ...grouped(reshaped, (module, list): FindingDraft => {
      const details = list.map((p) => `${shown(p)} -> [${b.get(p.name)!.shape.join(', ')}]`);
      const after = shown(b.get(list[0]!.name)!);
      const message = `${tensors(list)} of another shape`;
      return {
        ...at(module, 'a', 'b'),
        rule: 'weights/reshaped',
        change: '~',
        before: shown(list[0]!),
        after,
        message,
        details,
      };
    }),
  ];
  return drafts.map(finding);
}

function byName({ parameters }: DiffSide): ReadonlyMap<string, Parameter> {
  return new Map(parameters.map((p) => [p.name, p]));
}

function at(module: string, ...on: readonly ('a' | 'b')[]): Pick<FindingDraft, 'place' | 'pointer' | 'path'> {
  return {
    place: module,
    pointer: '',
    path: { a: on.includes('a') ? module : null, b: on.includes('b') ? module : null },
  };
}

/** `input_blocks.3.0` of `input_blocks.3.0.in_layers.2.weight`: up to three parts, the last two of a name left out. */
function moduleOf(name: string): string {
  const parts = name.split('.');
  return parts.slice(0, Math.max(1, Math.min(3, parts.length - 2))).join('.');
}

function grouped(
  list: readonly Parameter[],
  draft: (module: string, list: readonly Parameter[]) => FindingDraft,
): readonly FindingDraft[] {
  const groups = new Map<string, Parameter[]>();
  for (const parameter of list) {
    const module = moduleOf(parameter.name);
    groups.set(module, [...(groups.get(module) ?? []), parameter]);
  }
  return [...groups].map(([module, members]) => draft(module, members));
}

function tensors(list: readonly Parameter[]): string {
  return `${count(list.length, 'tensor')} ${list.length === 1 ? 'is' : 'are'}`;
}

function shown({ name, shape }: Parameter): string {
  return `${name} [${shape.join(', ')}]`;
}
