// What was found as the document that is printed: each finding with its line, what to do next, and whether it was accepted.

import type { Diff } from '../../compiler/diff/diff.ts';
import { DIFF_RULES, SEVERITIES, type Severity } from '../../compiler/diff/rules.ts';
import type { Accepted } from './accepted.ts';
import { DIFF_VERSION, type DiffDocument, type FoundFinding } from './document.ts';
import type { ReadSide } from './side.ts';
import type { TrainingChoice } from './training-choice.ts';

export interface DiffOptions {
  readonly failOn: Severity | 'never';
  /** What was accepted of this graph. */
  readonly accepted: Accepted;
  /** `auto` compares schedules of graphs up to a size that takes no patience. */
  readonly schedule: 'auto' | 'always' | 'never';
  /** What graphs are compiled for; a bundle has its own. */
  readonly target: string;
  readonly kernels: boolean;
  /** Also compares what a step of training takes, and what becomes of runs; null where nobody asks. */
  readonly training: TrainingChoice | null;
}

/** What stands in a document beside the findings. */
export interface Around {
  readonly a: DiffDocument['a'];
  readonly b: DiffDocument['b'];
  readonly options: DiffOptions;
  readonly notes: readonly string[];
  readonly locate: ReadSide['locate'];
}

/** A side as a document has it. */
export function shownSide({ kind, side }: ReadSide): DiffDocument['a'] {
  return { label: side.label, kind, name: side.graph?.name ?? null };
}

/** The document of what was found. */
export function documentOf(diff: Diff, { a, b, options, notes, locate }: Around): DiffDocument {
  const { failOn, accepted } = options;
  const findings = diff.findings.map((found): FoundFinding => {
    const { path, details, ...rest } = found;
    const at = found.pointer === '' ? undefined : locate(found.pointer);
    const { line, column } = at ?? {};
    return {
      ...rest,
      path: { ...path },
      details: [...details],
      position: line === undefined || column === undefined ? null : { line, column },
      next: DIFF_RULES[found.rule].next,
      accepted: accepted[found.fingerprint]?.reason ?? null,
    };
  });
  const open = findings.filter((f) => f.accepted === null);
  const of = (severity: Severity) => open.filter((f) => f.severity === severity).length;
  const seen = new Set(findings.map(({ fingerprint }) => fingerprint));
  return {
    format: 'unetc-diff',
    version: DIFF_VERSION,
    a,
    b,
    fail_on: failOn,
    summary: {
      breaking: of('breaking'),
      dangerous: of('dangerous'),
      info: of('info'),
      accepted: findings.length - open.length,
      failing: open.filter((f) => fails(f.severity, failOn)).length,
    },
    findings,
    cost: { a: { ...diff.cost.a }, b: { ...diff.cost.b } },
    ...(diff.training === null ? {} : { training: shownTraining(diff.training) }),
    stale: Object.entries(accepted).flatMap(([fingerprint, { reason }]) => {
      return seen.has(fingerprint) ? [] : [{ fingerprint, reason }];
    }),
    notes: [...notes],
  };
}

function shownTraining({ carried, fits, limit, batch, precision, a, b }: NonNullable<Diff['training']>) {
  return {
    ...{ batch, precision, limit, fits, a: { ...a }, b: { ...b } },
    kept: carried.filter(({ is }) => is === 'kept').length,
    others: carried.flatMap(({ is, ...names }) => (is === 'kept' ? [] : [{ ...names, is }])),
  };
}

/** Whether a finding of a severity fails the check. */
export function fails(severity: Severity, failOn: Severity | 'never'): boolean {
  return failOn !== 'never' && SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(failOn);
}
