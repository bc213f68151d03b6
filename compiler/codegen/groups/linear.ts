// A linear layer, with a silu in front, and a label embedding and a silu behind it.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { FusedOp, ScheduledGroup } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { type Fragment, joinFragments, readBuffer, value } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';

export function linear(graph: OpGraph, group: ScheduledGroup): KernelCall {
  const out = extentOf(graph, group.result);
  const input = extentOf(graph, group.sources[0]!);
  const [, weight, bias] = graph.nodes[group.anchor]!.inputs;
  const weights = createWeightsBuilder(graph);
  weights.linear(weight!);
  const biasAt = weights.vector(bias!);
  const fused = joinFragments(silu(group.prologue), epilogue(graph, group.epilogue));
  return callKernel({
    file: 'linear',
    ...fused,
    declared: {
      weights: { kind: 'weights' },
      source0: value(group.sources[0]!),
      result: value(group.result),
    },
    weights: weights.finish(),
    workgroups: [Math.ceil(out.channels / 64), 1, out.batch],
    sizes: { in_quads: input.quads, out_quads: out.quads, outputs: out.channels, bias_at: biasAt / 4 },
  });
}

function silu(ops: readonly FusedOp[]): Fragment {
  const hooks = ops.length > 0 ? { prologue: ['return loaded / (1.0 + exp(-loaded)); // silu'] } : {};
  return { hooks, functions: [], extra: [], sizes: {} };
}

function epilogue(graph: OpGraph, ops: readonly FusedOp[]): Fragment {
  if (ops.length === 0) return joinFragments();
  const lines = ops.map((op) => {
    const name = graph.nodes[op.node]!.op;
    invariant(name === 'add' || name === 'silu', `no code for ${name} behind a linear layer`);
    return name === 'add' ? 'v += residual[at]; // add' : 'v = v / (1.0 + exp(-v)); // silu';
  });
  const residuals = ops.flatMap(({ operand }) => (operand ? [operand.value] : []));
  invariant(residuals.length <= 1, 'one residual behind a linear layer');
  return {
    hooks: { epilogue: ['var v = sum;', ...lines, 'return v;'] },
    functions: [],
    extra: residuals.map((id) => readBuffer('residual', value(id), 'array<f32>')),
    sizes: {},
  };
}
