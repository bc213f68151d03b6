// One finding of a diff, and its fingerprint: what acceptance files are keyed by.

import { createHash } from 'node:crypto';
import { DIFF_RULES, type Family, familyOf, type RuleId, type Severity } from './rules.ts';

/** `+` something is new, `-` something is gone, `~` something is other than it was. */
export type Change = '+' | '-' | '~';

/** One thing that changed. */
export interface Finding {
  readonly rule: RuleId;
  readonly family: Family;
  readonly severity: Severity;
  readonly change: Change;
  /** What it is about: the role of a block or layer (`down[2].res[0]`), or a part of the model (`head`, `model`). */
  readonly place: string;
  /** Dotted path of its parameters on both sides (`input_blocks.5.0`), null where it has none. */
  readonly path: { readonly a: string | null; readonly b: string | null };
  /** JSON pointer of what decides it in the new graph's file; '' for the whole file. */
  readonly pointer: string;
  readonly before: string | null;
  readonly after: string | null;
  /** What happened, as one sentence without the place. */
  readonly message: string;
  /** The single tensors, kernels and the like behind it. */
  readonly details: readonly string[];
  /** 12 hexadecimal digits: of rule, place, before, after and details, whatever the numbers of blocks. */
  readonly fingerprint: string;
}

/** What a family says of a finding; the rest follows. */
export interface FindingDraft {
  readonly rule: RuleId;
  readonly change: Change;
  readonly place: string;
  readonly path?: Finding['path'];
  readonly pointer: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly message: string;
  readonly details?: readonly string[];
  /** Where it is not the rule's own. */
  readonly severity?: Severity;
}

/** The finding of a draft: with its family, its severity and its fingerprint. */
export function finding(draft: FindingDraft): Finding {
  const { rule, change, place, pointer, before, after, message, details = [] } = draft;
  const path = draft.path ?? { a: null, b: null };
  // names without the numbers of their block, which move with every block before it
  const relative = (text: string) =>
    [path.a, path.b].reduce<string>(
      (left, prefix) => (prefix ? left.replaceAll(`${prefix}.`, '') : left),
      text,
    );
  const identity = JSON.stringify([rule, change, place, before, after, details.map(relative)]);
  return {
    rule,
    family: familyOf(rule),
    severity: draft.severity ?? DIFF_RULES[rule].severity,
    change,
    place,
    path,
    pointer,
    before,
    after,
    message,
    details,
    fingerprint: createHash('sha256').update(identity).digest('hex').slice(0, 12),
  };
}
