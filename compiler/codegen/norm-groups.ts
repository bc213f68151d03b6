// What a group_norm in front of an anchor needs on GPUs. Up to 32 norm groups are prepared before a workgroup loads
// anything; more are computed for a quad when its scale and shift are.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { PrologueGroup } from '../schedule/schedule.ts';
import { GROUPS_AT_ONCE, type Norm, normOf } from '../schedule/statistics.ts';
import { extentOf } from '../schedule/values.ts';
import { type Fragment, fragmentOf, readBuffer } from './fragment.ts';
import type { WeightsBuilder } from './weights.ts';

/** The code, buffers and sizes of a group's norm; `affine` are the lines that give a quad's `scale` and `shift`. */
export interface NormFragment extends Fragment {
  readonly affine: readonly string[];
}

/** The norm of a group that has one; `threads` of the workgroup prepare it together. */
export function normFragment(
  graph: OpGraph,
  group: PrologueGroup,
  weights: WeightsBuilder,
  threads: number,
): NormFragment {
  const norm = normOf(graph, group)!;
  const [, gamma, beta] = graph.nodes[norm.node]!.inputs;
  const { pixels } = extentOf(graph, group.sources[0]!);
  const two = group.sources.length === 2;
  const code = norm.groups <= GROUPS_AT_ONCE ? groupsAtOnce(norm, two, threads) : groupsOfQuads(norm, two);
  const statistics = (value: number, i: number) =>
    readBuffer(`statistics${i}`, { kind: 'statistics', value, merged: group.reads[i]!.merged });
  return {
    ...code,
    extra: group.sources.map(statistics),
    sizes: {
      gamma_at: weights.vector(gamma!) / 4,
      beta_at: weights.vector(beta!) / 4,
      norm_width: norm.channels / norm.groups,
      norm_pixels: pixels,
      ...Object.fromEntries(
        group.reads.flatMap((tiles, i) => [
          [`tiles${i}`, tiles.count],
          [`tile_pixels${i}`, tiles.pixels],
        ]),
      ),
    },
  };
}

type Code = Pick<NormFragment, 'hooks' | 'functions' | 'affine'>;

/** Threads 32 apart share a norm group. */
function groupsAtOnce({ groups, eps }: Norm, two: boolean, threads: number): Code {
  const { hooks, functions } = fragmentOf(two ? 'norm_groups_concat' : 'norm_groups', {
    THREADS: threads,
    SHARES: threads,
    SHARERS: threads / 32,
    NORM_GROUPS: groups,
    EPSILON: eps,
  });
  const affine = [
    'let group = quad * 4u / sizes.norm_width;',
    'let group1 = (quad * 4u + 1u) / sizes.norm_width;',
    'let group2 = (quad * 4u + 2u) / sizes.norm_width;',
    'let group3 = (quad * 4u + 3u) / sizes.norm_width;',
    'let mean = vec4f(group_norm[group].x, group_norm[group1].x, group_norm[group2].x, group_norm[group3].x);',
    'let share = vec4f(group_norm[group].y, group_norm[group1].y, group_norm[group2].y, group_norm[group3].y);',
    'var scale = weight_vector(sizes.gamma_at + quad) * share;',
    'var shift = weight_vector(sizes.beta_at + quad) - mean * scale;',
  ];
  return { hooks, functions: [...functions, ''], affine };
}

function groupsOfQuads({ eps }: Norm, two: boolean): Code {
  const source = fragmentOf(two ? 'statistics_of_concat' : 'statistics_of').functions;
  const norm = fragmentOf('norm_quads', { EPSILON: eps }).functions;
  const affine = [
    'let norm = norm_of(sample, quad);',
    'var scale = weight_vector(sizes.gamma_at + quad) * norm.share;',
    'var shift = weight_vector(sizes.beta_at + quad) - norm.mean * scale;',
  ];
  return { hooks: {}, functions: [...source, '', ...norm, ''], affine };
}
