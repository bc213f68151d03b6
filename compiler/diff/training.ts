// The training family: what a step of training takes, and what becomes of runs of the old graph: whether their folder goes on,
// and which of their parameters, moving averages and moments do.

import { trainedAs } from '../graph/explicit.ts';
import { count } from '../graph/words.ts';
import type { Precision } from '../precision.ts';
import { relative, whole } from './cost.ts';
import { type Finding, type FindingDraft, finding } from './finding.ts';
import { type RenameMap, sameShape } from './parameters.ts';
import { pointerTo, shapeKeys } from './pointers.ts';
import type { RuleId } from './rules.ts';
import type { GraphPair } from './side.ts';

/** What a step of training takes. Bytes are bytes, operations floating-point operations of one microbatch. */
export interface TrainingCost {
  /** All that it takes on the device. */
  readonly bytes: number;
  /** Parameters with their moments, moving averages and gradients. */
  readonly state_bytes: number;
  readonly activation_bytes: number;
  readonly flops: number;
  /** Those of them that compute blocks again, and how many blocks that are. */
  readonly recomputed_flops: number;
  readonly recomputed_blocks: number;
}

export type TrainingMetric = keyof TrainingCost;

export const TRAINING_METRICS: Readonly<
  Record<TrainingMetric, { readonly rule: RuleId | null; readonly title: string }>
> = {
  bytes: { rule: 'training/memory', title: 'bytes of a step' },
  state_bytes: { rule: null, title: 'bytes of state' },
  activation_bytes: { rule: null, title: 'activation bytes' },
  flops: { rule: 'training/operations', title: 'operations' },
  recomputed_flops: { rule: null, title: 'computed again' },
  recomputed_blocks: { rule: null, title: 'blocks again' },
};

/** Both graphs as they are trained, in samples that are computed at once. */
export interface TrainingSides {
  readonly batch: number;
  readonly precision: Precision;
  readonly a: TrainingCost;
  readonly b: TrainingCost;
  /** The most bytes that a step may take; null for as many as it does. */
  readonly limit: number | null;
  /** Where the new graph takes more than the limit: the largest batch tried that does not; null where none was found. */
  readonly fits: number | null;
}

/** `16 samples at once in float16`, where there is something to say of the precision. */
export function stepWords(
  { batch, precision }: Pick<TrainingSides, 'batch' | 'precision'>,
  how = '',
): string {
  return `${count(batch, 'sample')}${how}${precision === 'f16' ? ' in float16' : ''}`;
}

/** What becomes of a parameter of a run, and with it of its moving averages and moments. */
export interface CarriedTensor {
  /** Its name in the old graph, and in the new one. */
  readonly from: string | null;
  readonly to: string | null;
  /** `zeros`: new, and inert while it is zero. `new` and `reshaped`: nothing that is there can be its value. `gone`: nobody reads it. */
  readonly is: 'kept' | 'renamed' | 'zeros' | 'new' | 'reshaped' | 'gone';
}

/** Of every parameter of both graphs what becomes of it: those of the new graph in checkpoint order, then those that are gone. */
export function carriedTensors(
  { a, b }: GraphPair,
  { renames, zeros, dropped }: RenameMap,
): readonly CarriedTensor[] {
  const former = new Map([...renames].map(([from, to]) => [to, from]));
  const [empty, left] = [new Set(zeros), new Set(dropped)];
  const known = new Map(a.parameters.map((one) => [one.name, one]));
  const carried = b.parameters.map((one): CarriedTensor => {
    const to = one.name;
    if (empty.has(to)) return { from: null, to, is: 'zeros' };
    const from = former.get(to) ?? (renames.has(to) || left.has(to) ? undefined : to);
    const old = from === undefined ? undefined : known.get(from);
    if (old === undefined) return { from: null, to, is: 'new' };
    if (!sameShape(old, one)) return { from: old.name, to, is: 'reshaped' };
    return { from: old.name, to, is: old.name === to ? 'kept' : 'renamed' };
  });
  return [...carried, ...dropped.map((from): CarriedTensor => ({ from, to: null, is: 'gone' }))];
}

/** Compares how both graphs are trained, and what becomes of runs of the old one. */
export function diffTraining(
  sides: GraphPair,
  training: TrainingSides,
  carried: readonly CarriedTensor[],
): readonly Finding[] {
  const { a, b, limit } = training;
  const pointer = pointerTo(
    sides,
    shapeKeys(sides, 'widths', 'blocks', 'out'),
    sides.b.graph.blocks[0]!.path,
  );
  const metrics = Object.keys(TRAINING_METRICS) as TrainingMetric[];
  const costs = metrics.flatMap((metric): readonly FindingDraft[] => {
    const { rule } = TRAINING_METRICS[metric];
    const [before, after] = [a[metric], b[metric]];
    if (rule === null || before === after) return [];
    const of = `a step of ${stepWords(training)}`;
    const what =
      metric === 'bytes' ? `${of} takes ${whole(after)} bytes` : `${of} is ${whole(after)} operations`;
    return [
      {
        ...{ rule, pointer, change: '~', place: `training.${metric}` },
        severity: before > 0 && after / before >= 1 + MUCH ? 'dangerous' : 'info',
        ...{ before: whole(before), after: whole(after) },
        message: `${what}, ${relative(before, after)}`,
      },
    ];
  });
  const over = limit !== null && b.bytes > limit ? [overLimit({ ...training, limit }, pointer)] : [];
  return [...costs, ...over, ...runDrafts(sides, carried, pointer)].map(finding);
}

/** Growth from which on a reviewer should stop. */
const MUCH = 0.1;

function overLimit(training: TrainingSides & { readonly limit: number }, pointer: string): FindingDraft {
  const { a, b, limit, fits } = training;
  const advice =
    fits === null ? 'no smaller batch that was tried fits' : `${count(fits, 'sample')} at once fit`;
  return {
    ...{ rule: 'training/limit', change: '~', place: 'training.bytes', pointer },
    // what did not fit before either is nothing new
    severity: a.bytes <= limit ? 'breaking' : 'info',
    ...{ before: whole(a.bytes), after: whole(b.bytes) },
    message: `a step of ${stepWords(training)} takes ${whole(b.bytes)} bytes where the limit is ${whole(limit)}, with every block computed again that helps; ${advice}`,
  };
}

/** What becomes of runs: their folder, and their tensors. */
function runDrafts(
  { a, b }: GraphPair,
  carried: readonly CarriedTensor[],
  pointer: string,
): readonly FindingDraft[] {
  if (trainedAs(a.graph) === trainedAs(b.graph)) return [];
  const of = (...kinds: readonly CarriedTensor['is'][]) => carried.filter(({ is }) => kinds.includes(is));
  const [kept, moved, lost] = [of('kept'), of('renamed', 'zeros', 'gone'), of('new', 'reshaped')];
  const base = { place: 'runs', before: null, after: null };
  const steps = [a.graph.diffusion.steps, b.graph.diffusion.steps] as const;
  const drafts: FindingDraft[] = [
    {
      ...{ ...base, rule: 'training/folder', change: '~', pointer: '' },
      message: `a run of the old graph does not go on in its folder; ${kept.length} of ${b.parameters.length} parameters carry over as they are, with moments and moving averages`,
      details:
        steps[0] === steps[1]
          ? []
          : [`losses of ${steps[0]} timesteps (loss-second-moment) are refused where there are ${steps[1]}`],
    },
  ];
  if (moved.length > 0) {
    const parts = [
      [of('renamed'), 'renamed'],
      [of('zeros'), 'new and zero, with moments of zero'],
      [of('gone'), 'left out'],
    ] as const;
    const said = parts.filter(([list]) => list.length > 0).map(([list, what]) => `${list.length} ${what}`);
    drafts.push({
      ...{ ...base, rule: 'training/renamed', change: '~', pointer },
      message: `parameters, moving averages and moments carry over by a rename map: ${said.join(', ')}`,
      details: moved.map(shown),
    });
  }
  if (lost.length > 0) {
    drafts.push({
      ...{ ...base, rule: 'training/lost', change: '-', pointer },
      message: `${count(lost.length, 'parameter')} of the new graph ${lost.length === 1 ? 'has' : 'have'} no value in any checkpoint of a run`,
      details: lost.map(shown),
    });
  }
  return drafts;
}

/** `input_blocks.1.0.weight -> input_blocks.2.0.weight renamed`. */
function shown({ from, to, is }: CarriedTensor): string {
  const names = [...new Set([from, to])].filter((name) => name !== null);
  return `${names.join(' -> ')} ${is}`;
}
