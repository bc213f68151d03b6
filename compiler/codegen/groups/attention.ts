// Attention in one dispatch: 32 or 64 queries by 64 channels of a head a workgroup.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { attentionStrides } from '../../ops/attention.ts';
import { unitsOf } from '../../schedule/backends/matrix.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, isHalf, nodeOf } from '../../schedule/values.ts';
import type { Target } from '../../target.ts';
import { type Fragment, joinFragments, value } from '../fragment.ts';
import { type CallRequest, callKernel, type KernelCall } from '../kernel-call.ts';
import { readChannel, readQuad } from '../wgsl/packing.ts';

export function attention({ graph }: Schedule, group: GroupOf<'attention'>): KernelCall {
  return callAttention(graph, group, { file: 'attention' }, 32);
}

/** On matrix units; what is not float16 stays with the other kernel. */
export function attentionMatrix(schedule: Schedule, group: GroupOf<'attention'>, target: Target): KernelCall {
  const { graph } = schedule;
  if (graph.nodes[group.result]!.type.dtype !== 'f16') return attention(schedule, group);
  const { M, N, K, lanes, component, pinned } = unitsOf(target);
  // operands of float32 take twice the workgroup memory
  const [queries, vectors] = component === 'f16' ? [64, 1] : [32, 2];
  const kernel = {
    file: 'attention_matrix',
    consts: { MATRIX_M: M, MATRIX_N: N, MATRIX_K: K, LANES: lanes, VECTORS: vectors, QUERIES: queries },
    ...(component === 'f16' ? {} : FLOATS),
    lanes: pinned ? lanes : null,
  } as const;
  return callAttention(graph, group, kernel, queries);
}

/** Matrices of float32. */
const FLOATS = {
  aliases: { Component: 'f32' },
  hooks: { vector_of: ['return bitcast<vec4u>(low);'] },
} as const;

function callAttention(
  graph: OpGraph,
  group: GroupOf<'attention'>,
  kernel: Pick<CallRequest, 'file' | 'consts' | 'aliases' | 'hooks' | 'lanes'>,
  queries: number,
): KernelCall {
  const { sizes, heads, batch } = attentionSizes(graph, group);
  const read = (sizes.head_channels % 4 === 0 ? byQuads : byChannels)(graph, group);
  return callKernel({
    ...read,
    ...kernel,
    hooks: { ...read.hooks, ...kernel.hooks },
    declared: {},
    workgroups: [Math.ceil(sizes.positions / queries), heads * sizes.slices, batch],
    sizes,
  });
}

/** What both attention kernels are told; a head's channels are computed in slices of 64. */
export function attentionSizes(graph: OpGraph, group: GroupOf<'attention'>) {
  const { attrs } = nodeOf(graph, group.anchor, 'attention');
  const { heads } = attrs;
  const out = extentOf(graph, group.result);
  const headChannels = out.channels / heads;
  const strides = attentionStrides(attrs, headChannels);
  const sizes = {
    positions: out.pixels,
    head_channels: headChannels,
    slices: Math.ceil(headChannels / 64),
    head_stride: strides.head,
    part_stride: strides.part,
    qkv_row: extentOf(graph, group.sources[0]!).quads * 4,
    out_row: out.quads * 4,
    scale: 1 / Math.sqrt(headChannels),
  };
  return { sizes, heads, batch: out.batch };
}

/** Heads that begin and end with quads are read and written by quads. */
function byQuads(graph: OpGraph, group: GroupOf<'attention'>): Fragment {
  const [source] = group.sources;
  const [from, to] = [isHalf(graph, source!), isHalf(graph, group.result)];
  const hooks = {
    // both values of a select are computed, and behind the last channel there may be no memory
    load_channels: ['if (count == 0u) { return vec4f(); }', `return ${readQuad('qkv', 'at / 4u', from)};`],
    store_channels: [`if (count > 0u) { result[at / 4u] = ${to ? 'pack_quad(value)' : 'value'}; }`],
  };
  const type = (half: boolean) => (half ? 'array<vec2u>' : 'array<vec4f>');
  return buffers(hooks, { type: type(from), value: source! }, { type: type(to), value: group.result });
}

function byChannels(graph: OpGraph, group: GroupOf<'attention'>): Fragment {
  const [source] = group.sources;
  const from = isHalf(graph, source!);
  const hooks = {
    load_channels: [
      'var value = vec4f();',
      `for (var c = 0u; c < min(count, 4u); c++) { value[c] = ${readChannel('qkv', 'at + c', from)}; }`,
      'return value;',
    ],
    store_channels: ['for (var c = 0u; c < min(count, 4u); c++) { result[at + c] = value[c]; }'],
  };
  const type = from ? 'array<u32>' : 'array<f32>';
  return buffers(hooks, { type, value: source! }, { type: 'array<f32>', value: group.result });
}

interface Stored {
  readonly type: Fragment['extra'][number]['type'];
  readonly value: number;
}

function buffers(hooks: Fragment['hooks'], qkv: Stored, result: Stored): Fragment {
  const bind = (name: string, access: 'read' | 'read_write', { type, value: id }: Stored) =>
    ({ name, type, access, resource: value(id) }) as const;
  const extra = [bind('qkv', 'read', qkv), bind('result', 'read_write', result)];
  return { ...joinFragments(), hooks, extra };
}
