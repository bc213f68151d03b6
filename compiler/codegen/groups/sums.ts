// Sums over pixels and samples: gradients by biases, by rows of FiLM and weights of a norm, by tables and joined parameters.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { GroupOf, Schedule, ScheduledChannelSum, ScheduledNormSums } from '../../schedule/schedule.ts';
import { extentOf, isHalf, nodeOf } from '../../schedule/values.ts';
import { type Fragment, joinFragments, readBuffer, standing, value } from '../fragment.ts';
import { storedHalves, texelHalves } from '../half.ts';
import { type CallRequest, callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { channelsAs, quadsAs, readChannel, readQuad } from '../wgsl/packing.ts';
import { gridOver } from './grid.ts';
import { leastQuads, through } from './norm-gradient.ts';

export function channel_sum({ graph }: Schedule, group: ScheduledChannelSum): KernelCall {
  const { quads } = extentOf(graph, group.result);
  return callKernel({
    file: 'channel_sum',
    ...channelSumOf(graph, group),
    workgroups: [Math.ceil(quads / 2), 1, 1],
  });
}

function channelSumOf(graph: OpGraph, group: ScheduledChannelSum): Omit<CallRequest, 'file' | 'workgroups'> {
  const [source] = group.sources;
  const { batch, pixels, quads } = extentOf(graph, source!);
  const out = extentOf(graph, group.result);
  // channels that begin and end with quads are read by quads
  const whole = group.start % 4 === 0 && out.channels % 4 === 0;
  const half = isHalf(graph, source!);
  const load_channels = whole
    ? [`return ${readQuad('source0', 'at / 4u', half)};`]
    : [
        'var value = vec4f();',
        `for (var c = 0u; c < min(count, 4u); c++) { value[c] = ${readChannel('source0', 'at + c', half)}; }`,
        'return value;',
      ];
  const type = whole ? quadsAs(half) : channelsAs(half);
  return {
    hooks: { load_channels },
    extra: [readBuffer('source0', value(source!), type)],
    declared: { result: value(group.result) },
    sizes: {
      rows: batch * pixels,
      row: quads * 4,
      start: group.start,
      channels: out.channels,
      quads: out.quads,
    },
  };
}

export function channelSumSubgroup({ graph }: Schedule, group: ScheduledChannelSum): KernelCall {
  const out = extentOf(graph, group.result);
  if (group.home === 'buffer') {
    const workgroups = [Math.ceil(out.quads / 8), 1, 1] as const;
    return callKernel({ file: 'channel_sum_rows', ...channelSumOf(graph, group), workgroups });
  }
  const [source] = group.sources;
  const { batch, pixels, quads } = extentOf(graph, source!);
  return callKernel({
    file: 'channel_sum_subgroup',
    consts: { TEXTURE_WIDTH },
    ...texelHalves(graph, { source0: source! }),
    declared: { source0: standing(graph, source!, 'texture'), result: value(group.result) },
    workgroups: [out.quads, 1, 1],
    sizes: { batch, pixels, quads, channels: out.channels },
  });
}

export function norm_sums({ graph }: Schedule, group: ScheduledNormSums): KernelCall {
  const [source0, source1] = group.sources;
  const stored = storedHalves(graph, { source0: source0!, source1: source1! });
  return callKernel({ file: 'norm_sums', ...normSumsOf(graph, group, stored) });
}

export function normSumsSubgroup({ graph }: Schedule, group: ScheduledNormSums): KernelCall {
  const [source0, source1] = group.sources;
  const stored = texelHalves(graph, { source0: source0!, source1: source1! });
  const request = normSumsOf(graph, group, stored);
  return callKernel({ file: 'norm_sums_subgroup', ...request, consts: { TEXTURE_WIDTH } });
}

function normSumsOf(graph: OpGraph, group: ScheduledNormSums, stored: Fragment): Omit<CallRequest, 'file'> {
  const [source0, source1] = group.sources;
  const { pixels, channels, quads, batch } = extentOf(graph, source0!);
  const { groups, eps } = normOf(graph, group);
  const norm_width = channels / groups;
  const chunk_quads = leastQuads(norm_width);
  const weights = createWeightsBuilder(graph);
  const fused = joinFragments(stored, through(graph, group, quads), weighted(graph, group, weights));
  return {
    ...fused,
    declared: {
      source0: standing(graph, source0!, group.home),
      source1: standing(graph, source1!, group.home),
      result: value(group.result),
    },
    weights: group.through.length > 0 ? weights.finish() : null,
    workgroups: [Math.ceil(quads / chunk_quads), 1, batch],
    sizes: {
      ...fused.sizes,
      ...{ pixels, channels, quads, chunk_quads, norm_width, eps },
      row: extentOf(graph, group.result).quads * 4,
    },
  };
}

/** How the source of sums is normalised: as the norm says whose gradient they are of, or that in front of FiLM. */
function normOf(graph: OpGraph, { anchor, through: [norm] }: ScheduledNormSums) {
  const node = graph.nodes[anchor]!;
  return node.op === 'group_norm_sums' ? node.attrs : nodeOf(graph, norm!.node, 'group_norm').attrs;
}

/** The weight and bias of the norm that is computed again; FiLM's factor is what the norm gives with them. */
function weighted(
  graph: OpGraph,
  group: ScheduledNormSums,
  weights: ReturnType<typeof createWeightsBuilder>,
): Fragment {
  const [norm] = group.through;
  if (!norm) return joinFragments();
  const [, gamma, beta] = nodeOf(graph, norm.node, 'group_norm').inputs;
  const film = graph.nodes[group.anchor]!.op === 'scale_shift_gradient';
  return {
    hooks: {
      prepare_norm: ['gamma = weights[sizes.gamma_at + quad];', 'beta = weights[sizes.beta_at + quad];'],
      ...(film ? { factor: ['return normalised * gamma + beta;'] } : {}),
    },
    functions: [],
    extra: [readBuffer('weights', { kind: 'weights' })],
    sizes: { gamma_at: weights.vector(gamma!) / 4, beta_at: weights.vector(beta!) / 4 },
  };
}

export function scale_shift_gradient(
  { graph }: Schedule,
  group: GroupOf<'scale_shift_gradient'>,
): KernelCall {
  const [source0, source1] = group.sources;
  const { pixels, channels, quads, batch } = extentOf(graph, source0!);
  return callKernel({
    file: 'scale_shift_gradient',
    ...storedHalves(graph, { source0: source0!, source1: source1! }),
    declared: { source0: value(source0!), source1: value(source1!), result: value(group.result) },
    workgroups: [quads, 1, batch],
    sizes: { pixels, channels, quads, row: extentOf(graph, group.result).quads * 4 },
  });
}

export function embedding_gradient({ graph }: Schedule, group: GroupOf<'embedding_gradient'>): KernelCall {
  const [g, labels] = group.sources;
  const { batch, quads } = extentOf(graph, g!);
  const { rows } = nodeOf(graph, group.anchor, 'embedding_gradient').attrs;
  return callKernel({
    file: 'embedding_gradient',
    declared: { source0: value(g!), source1: value(labels!), result: value(group.result) },
    workgroups: [Math.ceil(quads / 64), rows, 1],
    sizes: { batch, quads },
  });
}

export function batch_sum({ graph }: Schedule, group: GroupOf<'batch_sum'>): KernelCall {
  const [source] = group.sources;
  const { batch, channels, quads, pixels } = extentOf(graph, source!);
  const out = extentOf(graph, group.result);
  invariant(
    out.pixels === 1,
    () => `%${group.anchor} sums a table of more than one dimension over positions`,
  );
  return callKernel({
    file: 'batch_sum',
    ...storedHalves(graph, { source0: source! }, 'channel'),
    declared: { source0: value(source!), result: value(group.result) },
    workgroups: [Math.ceil(out.quads / 16), channels, 1],
    sizes: { batch, pixels, in_row: quads * 4, row: out.quads * 4 },
  });
}

export function rows({ graph }: Schedule, group: GroupOf<'rows'>): KernelCall {
  const [source] = group.sources;
  const whole = extentOf(graph, source!);
  const out = extentOf(graph, group.result);
  const { start } = nodeOf(graph, group.anchor, 'rows').attrs;
  const isVector = graph.nodes[group.result]!.type.shape.length === 1;
  // a vector's rows are its channels
  invariant(!isVector || start % 4 === 0, () => `rows of a vector begin inside a quad (%${group.anchor})`);
  const total = out.batch * out.pixels * out.quads;
  return callKernel({
    file: 'rows',
    declared: { source0: value(source!), result: value(group.result) },
    workgroups: gridOver(total, 1024),
    sizes: { start: isVector ? start / 4 : start * whole.pixels * whole.quads, quads: total },
  });
}
