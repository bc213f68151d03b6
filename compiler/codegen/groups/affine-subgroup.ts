// Scale and shift of the channels that a norm or FiLM is applied to, computed once for all workgroups that apply them.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { stagesOf } from '../../schedule/prologue.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { AffineGroup, Schedule } from '../../schedule/schedule.ts';
import { type Norm, normOf } from '../../schedule/statistics.ts';
import { extentOf } from '../../schedule/values.ts';
import { type Fragment, fragmentOf, joinFragments, readBuffer } from '../fragment.ts';
import { embedFragment } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder, type WeightsBuilder } from '../weights.ts';

/** Channels that a lane of a FiLM without a norm in front of it takes. */
const FILM_CHANNELS = 4;

export function affineSubgroup({ graph }: Schedule, group: AffineGroup): KernelCall {
  const film = stagesOf(graph, group.prologue)?.film;
  const norm = normOf(graph, group);
  const channels = group.sources.reduce((sum, id) => sum + extentOf(graph, id).channels, 0);
  const width = norm ? norm.channels / norm.groups : FILM_CHANNELS;
  const groups = norm ? norm.groups : Math.ceil(channels / FILM_CHANNELS);
  const weights = createWeightsBuilder(graph);
  const [first, second] = group.sources.map((id) => extentOf(graph, id).quads);
  const fused = joinFragments(
    norm ? normFragment(graph, group, norm, weights) : joinFragments(),
    film ? filmFragment(embedFragment(graph, film)) : joinFragments(),
  );
  return callKernel({
    file: 'affine_subgroup',
    consts: { TEXTURE_WIDTH },
    ...fused,
    declared: { result: { kind: 'affine', node: group.prologue[0]!.node } },
    product: norm ? weights.finish('texture') : null,
    workgroups: [Math.ceil(groups / 8), 1, extentOf(graph, group.result).batch],
    sizes: {
      ...fused.sizes,
      channels,
      norm_groups: groups,
      norm_width: width,
      quads0: first!,
      quads1: second ?? 0,
    },
  });
}

function normFragment(graph: OpGraph, group: AffineGroup, norm: Norm, weights: WeightsBuilder): Fragment {
  const [, gamma, beta] = graph.nodes[norm.node]!.inputs;
  return {
    ...fragmentOf(group.sources.length === 2 ? 'affine_norm_concat' : 'affine_norm'),
    extra: [
      readBuffer('product', { kind: 'product' }, 'texture'),
      ...group.sources.map((id, i) =>
        readBuffer(`statistics${i}`, { kind: 'statistics', value: id, merged: false }),
      ),
    ],
    sizes: {
      epsilon: norm.eps,
      gamma_at: weights.vector(gamma!) / 4,
      beta_at: weights.vector(beta!) / 4,
      ...Object.fromEntries(group.reads.map((tiles, i) => [`tiles${i}`, tiles.count])),
    },
  };
}

/** The scales of a time projection come before its shifts. */
function filmFragment(embed: Fragment): Fragment {
  const film = [
    'let at = sample * sizes.embed_quads + sizes.embed_at + quad;',
    'let scale = 1.0 + embed[at]; // film',
    'return Affine(affine.scale * scale, affine.shift * scale + embed[at + sizes.quads0 + sizes.quads1]);',
  ];
  return { ...embed, hooks: { film } };
}
