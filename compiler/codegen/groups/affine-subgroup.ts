// Scale and shift of the channels that a norm or FiLM is applied to, computed once for all workgroups that apply them.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { stagesOf } from '../../schedule/prologue.ts';
import type { Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import { normOf } from '../../schedule/statistics.ts';
import { TEXTURE_WIDTH } from '../../schedule/storage.ts';
import { extentOf } from '../../schedule/values.ts';
import { embedFragment, type Fragment, joinFragments, readBuffer } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder, type WeightsBuilder } from '../weights.ts';

/** Channels that a lane of a FiLM without a norm in front of it takes. */
const FILM_CHANNELS = 4;

export function affineSubgroup({ graph }: Schedule, group: ScheduledGroup): KernelCall {
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
    declared: { result: { kind: 'affine', node: group.anchor } },
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

function normFragment(
  graph: OpGraph,
  group: ScheduledGroup,
  norm: NonNullable<ReturnType<typeof normOf>>,
  weights: WeightsBuilder,
): Fragment {
  const [, gamma, beta] = graph.nodes[norm.node]!.inputs;
  const moments = (i: number, channel: string) => [
    `let at = ((sample * sizes.tiles${i} + tile) * sizes.quads${i} + ${channel} / 4u) * 3u;`,
    `let mean = statistics${i}[at][${channel} % 4u];`,
    `let m2 = statistics${i}[at + 1u][${channel} % 4u];`,
    `return Moments(statistics${i}[at + 2u].x, mean, m2);`,
  ];
  const two = group.sources.length === 2;
  return {
    hooks: {
      moments_of: two
        ? [
            'if (channel >= sizes.quads0 * 4u) { return moments_of_second(sample, channel - sizes.quads0 * 4u, tile); }',
            ...moments(0, 'channel'),
          ]
        : moments(0, 'channel'),
      tiles_of: [
        two
          ? 'return select(sizes.tiles0, sizes.tiles1, channel >= sizes.quads0 * 4u);'
          : 'return sizes.tiles0;',
      ],
      norm: [
        'let scale = textureLoad(product, texel(sizes.gamma_at + quad)) * share; // group_norm',
        'return Affine(scale, textureLoad(product, texel(sizes.beta_at + quad)) - mean * scale);',
      ],
    },
    functions: two
      ? [
          'fn moments_of_second(sample: u32, channel: u32, tile: u32) -> Moments {',
          ...moments(1, 'channel').map((line) => `  ${line}`),
          '}',
        ]
      : [],
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
