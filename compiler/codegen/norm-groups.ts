// The code that prepares a group_norm on GPUs: what a workgroup has to know of a sample before it loads anything.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { ScheduledGroup } from '../schedule/schedule.ts';
import { normOf } from '../schedule/statistics.ts';
import { extentOf } from '../schedule/values.ts';
import type { WeightsBuilder } from './weights.ts';

/**
 * Mean and reciprocal deviation of up to 32 norm groups, from the statistics of the sources' channels: threads 32 apart
 * share a group.
 */
export function normFragment(
  graph: OpGraph,
  group: ScheduledGroup,
  weights: WeightsBuilder,
  threads: number,
) {
  const norm = normOf(graph, group)!;
  const [, gamma, beta] = graph.nodes[norm.node]!.inputs;
  const { pixels } = extentOf(graph, group.sources[0]!);
  const functions = group.sources.flatMap((_, i) => [
    `// one channel of source${i} in one tile: mean, M2 and pixels`,
    `fn statistics_of${i}(sample: u32, channel: u32, tile: u32) -> vec3f {`,
    `  let at = ((sample * sizes.tiles${i} + tile) * sizes.quads${i} + channel / 4u) * 2u;`,
    `  let pixels = min(sizes.tile_pixels${i}, sizes.norm_pixels - tile * sizes.tile_pixels${i});`,
    `  return vec3f(statistics${i}[at][channel % 4u], statistics${i}[at + 1u][channel % 4u], f32(pixels));`,
    '}',
  ]);
  const over = (body: string) =>
    group.sources.flatMap((_, i) => {
      const channel = i === 0 ? 'c' : 'c - sizes.quads0 * 4u';
      const range =
        group.sources.length === 1
          ? ''
          : i === 0
            ? 'if (c < sizes.quads0 * 4u) '
            : 'if (c >= sizes.quads0 * 4u) ';
      return [
        `  ${range}{`,
        `    for (var tile = 0u; tile < sizes.tiles${i}; tile++) {`,
        `      let s = statistics_of${i}(sample, ${channel}, tile);`,
        `      ${body}`,
        '    }',
        '  }',
      ];
    });
  const loop = `for (var c = first + lane / 32u; c < end; c += ${threads / 32}u) {`;
  const sumOfGroup = [
    `var<workgroup> shares: array<f32, ${threads}>;`,
    '',
    '// the sum over the threads that share a norm group',
    'fn sum_of_group(share: f32, lane: u32) -> f32 {',
    '  workgroupBarrier();',
    '  shares[lane] = share;',
    '  workgroupBarrier();',
    '  var sum = 0.0;',
    `  for (var i = lane % 32u; i < ${threads}u; i += 32u) { sum += shares[i]; }`,
    '  return sum;',
    '}',
  ];
  return {
    hooks: {
      prepare_sample: [
        '// group_norm',
        'let first = lane % 32u * sizes.norm_width;',
        `let end = select(first, first + sizes.norm_width, lane % 32u < ${norm.groups}u);`,
        'let elements = f32(sizes.norm_width * sizes.norm_pixels);',
        'var sum = 0.0;',
        loop,
        ...over('sum += s.z * s.x;'),
        '}',
        'let mean = sum_of_group(sum, lane) / elements;',
        'var squares = 0.0;',
        loop,
        ...over('squares += s.y + s.z * (s.x - mean) * (s.x - mean);'),
        '}',
        'let all = sum_of_group(squares, lane);',
        `if (lane < ${norm.groups}u) { group_norm[lane] = vec2f(mean, inverseSqrt(all / elements + ${norm.eps})); }`,
        'workgroupBarrier();',
      ],
    },
    functions: [...functions, '', ...sumOfGroup, ''],
    extra: group.sources.map((id, i) => statisticsOf(`statistics${i}`, id, group.reads[i]!.merged)),
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

function statisticsOf(name: string, value: number, merged: boolean) {
  const resource = { kind: 'statistics', value, merged } as const;
  return { name, type: 'array<vec4f>', access: 'read', resource } as const;
}
