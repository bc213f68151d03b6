// The gradient of a norm, with those of FiLM and an activation function behind it: one dispatch, a workgroup for the norm
// groups that fill whole quads together.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { Schedule, ScheduledNormGradient, ScheduledNormSums } from '../../schedule/schedule.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { ACTIVATION_GRADIENT_LINES } from '../activations.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, joinFragments, standing } from '../fragment.ts';
import { embedFragment } from '../fused-ops.ts';
import { storedHalves, texelHalves } from '../half.ts';
import { type CallRequest, callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';

export function norm_gradient({ graph }: Schedule, group: ScheduledNormGradient): KernelCall {
  const [source0, source1] = group.sources;
  const stored = storedHalves(graph, { source0: source0!, source1: source1!, result: group.result });
  return callKernel({ file: 'norm_gradient', ...requestOf(graph, group, stored) });
}

export function normGradientSubgroup({ graph }: Schedule, group: ScheduledNormGradient): KernelCall {
  const [source0, source1] = group.sources;
  const stored = texelHalves(graph, { source0: source0!, source1: source1!, result: group.result });
  const request = requestOf(graph, group, stored);
  return callKernel({
    file: 'norm_gradient_subgroup',
    ...request,
    consts: { TEXTURE_WIDTH },
  });
}

function requestOf(
  graph: OpGraph,
  group: ScheduledNormGradient,
  stored: Fragment,
): Omit<CallRequest, 'file'> {
  const node = nodeOf(graph, group.anchor, 'group_norm_gradient');
  const out = extentOf(graph, group.result);
  const norm_width = out.channels / node.attrs.groups;
  const chunk_quads = leastQuads(norm_width);
  const weights = createWeightsBuilder(graph);
  weights.vector(node.inputs[1]!); // gamma, the first of the weights
  const betaAt = group.through.length > 0 ? weights.vector(normBehind(graph, group)) : 0;
  const fused = joinFragments(
    stored,
    through(graph, group, out.quads),
    epilogueOf(graph, group.epilogue, { home: group.home }),
  );
  const [source0, source1] = group.sources;
  return {
    ...fused,
    declared: {
      weights: { kind: 'weights' },
      source0: standing(graph, source0!, group.home),
      source1: standing(graph, source1!, group.home),
      result: standing(graph, group.result, group.home),
    },
    weights: weights.finish(),
    workgroups: [Math.ceil(out.quads / chunk_quads), 1, out.batch],
    sizes: {
      ...fused.sizes,
      pixels: out.pixels,
      quads: out.quads,
      chunk_quads,
      norm_width,
      beta_at: betaAt / 4,
      eps: node.attrs.eps,
    },
  };
}

/** Quads that groups of so many channels fill together: one, two or four groups. */
export function leastQuads(width: number): number {
  let quads = 1;
  while ((quads * 4) % width !== 0) quads++;
  return quads;
}

/** The bias of the norm that is computed again. */
function normBehind(graph: OpGraph, { through: [norm] }: ScheduledNormGradient): number {
  return nodeOf(graph, norm!.node, 'group_norm').inputs[2]!;
}

/**
 * The cotangent of the norm's result from that of what follows: the slope where the activation function stands, and FiLM. Sums
 * that are of FiLM's cotangent end there.
 */
export function through(
  graph: OpGraph,
  group: ScheduledNormGradient | ScheduledNormSums,
  quads: number,
): Fragment {
  const lines: string[] = [];
  const parts: Fragment[] = [];
  for (const op of group.through) {
    const node = graph.nodes[op.node]!;
    switch (node.op) {
      case 'group_norm':
        lines.push('var v = normalised * gamma + beta; // group_norm');
        break;
      case 'film':
        parts.push(filmFragment(graph, op, quads));
        lines.push('v = v * film_scale + film_shift; // film');
        break;
      case 'activation_gradient':
        lines.push(...ACTIVATION_GRADIENT_LINES[node.attrs.of], 'v *= given; // activation_gradient');
        break;
      case 'film_gradient':
        lines.push('v *= film_scale; // film_gradient');
        break;
      default:
        invariant(false, `no code for the gradient of a norm behind ${node.op}`);
    }
  }
  if (lines.length === 0) return joinFragments();
  const hooks = { cotangent: [...lines, 'return v;'] };
  return joinFragments({ ...joinFragments(), hooks }, ...parts);
}

function filmFragment(graph: OpGraph, op: ScheduledNormGradient['through'][number], quads: number): Fragment {
  const hooks = {
    prepare_quad: [
      'let film_at = sample * sizes.embed_quads + sizes.embed_at + quad;',
      'film_scale = 1.0 + embed[film_at];',
      'film_shift = embed[film_at + sizes.quads];',
    ],
  };
  invariant(graph.nodes[op.node]!.type.shape[1] === quads * 4, 'film of channels that do not fill quads');
  const functions = ['var<private> film_scale: vec4f;', 'var<private> film_shift: vec4f;'];
  return joinFragments(embedFragment(graph, op), { ...joinFragments(), hooks, functions });
}
