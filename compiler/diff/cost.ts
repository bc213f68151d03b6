// The cost family: what a model takes, in absolute and in relative numbers, and against the budgets of its graph.

import { STORED_BYTES } from '../../runtime/bundle.ts';
import type { Budgets, Graph } from '../graph/graph.ts';
import { graphMacs, totalMacs } from '../graph/macs.ts';
import { parameterCount } from '../graph/parameters.ts';
import { PRECISIONS, type Precision } from '../precision.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { pointerTo, shapeKeys } from './pointers.ts';
import type { RuleId } from './rules.ts';
import { type DiffSide, type GraphPair, known } from './side.ts';

/** What one image costs; null is what was not computed. Bytes are bytes. */
export interface Cost {
  readonly params: number;
  readonly macs: number | null;
  readonly activation_bytes: number | null;
  readonly weight_bytes: number;
  readonly dispatches: number | null;
}

export type Metric = keyof Cost;

export const METRICS: Readonly<Record<Metric, { readonly rule: RuleId | null; readonly title: string }>> = {
  params: { rule: 'cost/params', title: 'parameters' },
  macs: { rule: 'cost/macs', title: 'multiply-accumulates' },
  activation_bytes: { rule: 'cost/activation-peak', title: 'activation bytes' },
  weight_bytes: { rule: 'cost/weight-bytes', title: 'weight bytes' },
  dispatches: { rule: null, title: 'dispatches' },
};

/** Growth from which on a reviewer should stop. */
const MUCH = 0.1;

/** The precision that a side was compiled in; one that was not is taken to be in that of the other. */
export function precisionOf({ compiled }: DiffSide, other: DiffSide): Precision {
  return compiled?.precision ?? other.compiled?.precision ?? 'f32';
}

/** What a side costs, its weights in a precision. */
export function costOfSide(side: DiffSide, precision: Precision = 'f32'): Cost {
  const { graph, schedule } = side;
  const params = graph
    ? parameterCount(graph)
    : side.parameters.reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0);
  return {
    params,
    macs: graph && !side.unknown.has('image_size') ? macsOf(graph) : null,
    activation_bytes: schedule?.activation_bytes ?? null,
    weight_bytes: params * STORED_BYTES[PRECISIONS[precision].weights],
    dispatches: schedule?.dispatches.length ?? null,
  };
}

function macsOf(graph: Graph): number {
  return totalMacs(graphMacs(graph).total);
}

/** Compares what both sides cost, and holds the new one to its budgets. */
export function diffCost(sides: GraphPair, cost: { readonly a: Cost; readonly b: Cost }): readonly Finding[] {
  const metrics = Object.keys(METRICS) as Metric[];
  const keys = [...shapeKeys(sides, 'widths', 'blocks', 'label_emb', 'out'), 'image_size'];
  const pointer = pointerTo(sides, keys, sides.b.graph.blocks[0]!.path);
  const [had, has] = [sides.a.graph.budgets, sides.b.graph.budgets];
  const drafts = metrics.flatMap((metric): readonly FindingDraft[] => {
    const { rule, title } = METRICS[metric];
    const [before, after] = [cost.a[metric], cost.b[metric]];
    const base = { place: metric, before: before === null ? null : whole(before), change: '~' as const };
    const found: FindingDraft[] = [];
    if (rule && before !== null && after !== null && before !== after) {
      const severity = growth(before, after) >= MUCH ? 'dangerous' : 'info';
      const message = `${whole(after)} ${title}, ${relative(before, after)}`;
      found.push({ ...base, rule, severity, pointer, after: whole(after), message });
    }
    // what was over before, by as much, is nothing new
    const within = before === null || before <= (had?.[metric] ?? Number.POSITIVE_INFINITY);
    if (within || (after !== null && after > before)) {
      found.push(...overBudget(has, metric, { before: base.before, after }));
    }
    return found;
  });
  // a checkpoint has no budgets, and takes none away
  const budgets = known(sides, 'name') ? budgetDrafts(had, has) : [];
  return [...drafts, ...budgets].map(finding);
}

/** What a graph that is new takes beyond its own budgets. */
export function newOverBudget(budgets: Budgets | null, cost: Cost): readonly Finding[] {
  const metrics = Object.keys(METRICS) as Metric[];
  return metrics.flatMap((metric) =>
    overBudget(budgets, metric, { before: null, after: cost[metric] }).map(finding),
  );
}

function overBudget(
  budgets: Budgets | null,
  metric: Metric,
  { before, after }: { readonly before: string | null; readonly after: number | null },
): readonly FindingDraft[] {
  const budget = budgets?.[metric];
  if (budget === undefined || after === null || after <= budget) return [];
  const message = `${whole(after)} ${METRICS[metric].title} where the budget is ${whole(budget)}, ${relative(budget, after)}`;
  const place = { place: metric, pointer: `/budgets/${metric}` };
  return [{ ...place, rule: 'cost/over-budget', change: '~', before, after: whole(after), message }];
}

function budgetDrafts(had: Budgets | null, has: Budgets | null): readonly FindingDraft[] {
  return (Object.keys(METRICS) as Metric[]).flatMap((metric): readonly FindingDraft[] => {
    const [before, after] = [had?.[metric], has?.[metric]];
    if (before === after) return [];
    const looser = before !== undefined && (after === undefined || after > before);
    const shown = (n: number | undefined) => (n === undefined ? null : whole(n));
    return [
      {
        rule: 'cost/budget-changed',
        severity: looser ? 'dangerous' : 'info',
        change: before === undefined ? '+' : after === undefined ? '-' : '~',
        place: metric,
        pointer: after === undefined ? '' : `/budgets/${metric}`,
        before: shown(before),
        after: shown(after),
        message: `the budget of ${METRICS[metric].title} ${
          after === undefined
            ? 'is gone'
            : `is ${whole(after)}${before === undefined ? '' : `, it was ${whole(before)}`}`
        }`,
      },
    ];
  });
}

function growth(before: number, after: number): number {
  return before === 0 ? 0 : after / before - 1;
}

/** `+14.5 %`. */
export function relative(before: number, after: number): string {
  const percent = 100 * growth(before, after);
  return `${percent < 0 ? '' : '+'}${percent.toFixed(Math.abs(percent) < 10 ? 2 : 1)} %`;
}

/** A whole number with separators, the same in every locale. */
export function whole(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}
