// Losses of samples, their gradients, and the images that they are of.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { fragmentOf, value } from '../fragment.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { gridOf } from './grid.ts';

export function mix({ graph }: Schedule, group: GroupOf<'mix'>): KernelCall {
  const [a, d, c] = group.sources;
  const out = extentOf(graph, group.result);
  return callKernel({
    file: 'mix',
    declared: { source0: value(a!), source1: value(d!), factors: value(c!), result: value(group.result) },
    workgroups: gridOf(out),
    sizes: {
      ...nodeOf(graph, group.anchor, 'mix').attrs,
      quads: out.pixels * out.quads,
      columns: extentOf(graph, c!).quads * 4,
    },
  });
}

export function mse({ graph }: Schedule, group: GroupOf<'mse'>): KernelCall {
  const [prediction, target] = group.sources;
  const of = extentOf(graph, target!);
  return callKernel({
    file: 'mse',
    declared: { prediction: value(prediction!), goal: value(target!), result: value(group.result) },
    workgroups: [1, 1, of.batch],
    sizes: rowsOf(graph, group),
  });
}

export function mse_gradient({ graph }: Schedule, group: GroupOf<'mse_gradient'>): KernelCall {
  const [prediction, target, g] = group.sources;
  const out = extentOf(graph, group.result);
  const { pixels, channels, target_row } = rowsOf(graph, group);
  return callKernel({
    file: 'mse_gradient',
    declared: {
      prediction: value(prediction!),
      goal: value(target!),
      share: value(g!),
      result: value(group.result),
    },
    workgroups: gridOf(out),
    sizes: { pixels, channels, target_row, quads: out.quads },
  });
}

const LEARNED = { fixed: 0, learned: 1, learned_range: 2 } as const;

export function variational_bound({ graph }: Schedule, group: GroupOf<'variational_bound'>): KernelCall {
  const { variance } = nodeOf(graph, group.anchor, 'variational_bound').attrs;
  return callKernel({
    file: 'variational_bound',
    consts: { LEARNED: LEARNED[variance] },
    ...fragmentOf('bound_terms'),
    declared: {
      ...boundValues(group),
      result: value(group.result),
    },
    workgroups: [1, 1, extentOf(graph, group.sources[1]!).batch],
    sizes: rowsOf(graph, group),
  });
}

export function variational_bound_gradient(
  { graph }: Schedule,
  group: GroupOf<'variational_bound_gradient'>,
): KernelCall {
  const { variance, by } = nodeOf(graph, group.anchor, 'variational_bound_gradient').attrs;
  const { batch, pixels } = extentOf(graph, group.result);
  return callKernel({
    file: 'variational_bound_gradient',
    consts: { LEARNED: LEARNED[variance], OF_MEAN: by === 'both' ? 1 : 0 },
    ...fragmentOf('bound_terms'),
    declared: {
      ...boundValues(group),
      share: value(group.sources[4]!),
      result: value(group.result),
    },
    workgroups: gridOf({ ...extentOf(graph, group.result), pixels, batch, quads: 1 }),
    sizes: rowsOf(graph, group),
  });
}

/** What the terms of the bound are made of. */
function boundValues({ sources }: { readonly sources: readonly number[] }) {
  const [prediction, goal, image, coefficients] = sources.map((id) => value(id));
  return { prediction: prediction!, goal: goal!, image: image!, coefficients: coefficients! };
}

/** Pixels of a sample, channels of the target, and how long a pixel of the prediction and of the target is. */
function rowsOf(graph: OpGraph, { sources }: { readonly sources: readonly number[] }) {
  const [prediction, target] = sources.map((id) => extentOf(graph, id));
  const { pixels, channels, quads } = target!;
  return { pixels, channels, row: prediction!.quads * 4, target_row: quads * 4 };
}
