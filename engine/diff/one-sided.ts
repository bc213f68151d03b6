// Graphs that one side alone has: a new one, one that is gone, one whose old self cannot be read.

import { compileGraph } from '../../compiler/compile.ts';
import { GraphError } from '../../compiler/diagnostics.ts';
import { type Cost, costOfSide, newOverBudget, whole } from '../../compiler/diff/cost.ts';
import { type Finding, finding } from '../../compiler/diff/finding.ts';
import { scheduleFacts } from '../../compiler/diff/schedule-facts.ts';
import type { DiffSide } from '../../compiler/diff/side.ts';
import { parameterCount } from '../../compiler/graph/parameters.ts';
import { targetFor } from '../compile/target-choice.ts';
import { shippedTuning } from '../compile/tuning-choice.ts';
import { type DiffOptions, documentOf, shownSide } from './make-document.ts';
import type { DiffRun } from './run-diff.ts';
import type { ReadSide } from './side.ts';

const NOTHING: Cost = {
  params: 0,
  macs: 0,
  activation_bytes: null,
  weight_bytes: 0,
  dispatches: null,
};

/**
 * The run of a graph that A does not have; `label` is what was looked for there. It is held to its budgets. With `unread`,
 * A had it, and that is why it could not be read.
 */
export function newGraphRun(
  label: string,
  b: ReadSide,
  options: DiffOptions,
  unread: string | null = null,
): DiffRun {
  const { graph } = b.side;
  const { side, notes } = heldSide(b, options);
  const cost = { a: NOTHING, b: costOfSide(side) };
  const what = graph
    ? `${graph.name}, ${graph.image_size.join('x')}, ${whole(parameterCount(graph))} parameters`
    : b.side.label;
  const base = { place: b.file ?? b.side.label, pointer: '', before: null, after: what };
  const first: Finding =
    unread === null
      ? finding({ ...base, rule: 'graph/added', change: '+', message: 'a new graph, and a valid one' })
      : finding({
          ...base,
          rule: 'graph/unread',
          change: '~',
          message: `what it was is no graph: ${unread}`,
        });
  const findings = [first, ...newOverBudget(graph?.budgets ?? null, cost.b)];
  const diff = { findings, cost, training: null, map: null, graphs: { a: null, b: graph } };
  const none = { label, kind: 'none' as const, name: null };
  const around = { a: none, b: shownSide(b), options, locate: b.locate, notes: [...b.notes, ...notes] };
  return { document: documentOf(diff, around), diff };
}

/** The run of a graph that B does not have; `label` is what was looked for there, `why` what is there now. */
export function goneGraphRun(
  place: string,
  labels: { readonly a: string; readonly b: string },
  options: DiffOptions,
  why: string,
): DiffRun {
  const base = { place, pointer: '', before: place, after: null };
  const findings = [finding({ ...base, rule: 'graph/removed', change: '-', message: why })];
  const diff = {
    findings,
    cost: { a: NOTHING, b: NOTHING },
    ...{ training: null, map: null, graphs: { a: null, b: null } },
  };
  const around = {
    a: { label: labels.a, kind: 'graph' as const, name: null },
    b: { label: labels.b, kind: 'none' as const, name: null },
    ...{ options, locate: () => undefined, notes: [] },
  };
  return { document: documentOf(diff, around), diff };
}

/** The finding of a graph that has another path than before. */
export function renamedFinding(before: string, after: string, unseen: boolean): Finding {
  const left = unseen ? '; no pattern of the gate names the new one, so that later changes pass unseen' : '';
  return finding({
    ...{ rule: 'graph/renamed', change: '~', place: after, pointer: '', before, after },
    message: `the graph was ${before}${left}`,
    ...(unseen && { severity: 'breaking' }),
  });
}

/** A new side with its schedule, where a budget asks for what that alone tells. */
function heldSide(
  { side, locate }: ReadSide,
  { target: name, schedule }: DiffOptions,
): { readonly side: DiffSide; readonly notes: readonly string[] } {
  const { graph, label } = side;
  const held = graph?.budgets?.activation_bytes ?? graph?.budgets?.dispatches;
  if (!graph || held === undefined || schedule === 'never') return { side, notes: [] };
  const target = targetFor(name);
  try {
    const { bundle } = compileGraph(graph, {
      target,
      tuning: shippedTuning(target),
      place: { label, locate },
    });
    return { side: { ...side, schedule: scheduleFacts(bundle) }, notes: [] };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const [{ message } = { message: '' }] = error.diagnostics;
    return { side, notes: [`budgets of the schedule were not held: ${label}: ${message}`] };
  }
}
