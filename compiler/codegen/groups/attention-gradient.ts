// The gradient of attention in two dispatches: a thread a query, then a thread a key; for subgroups of 8 lanes 16 queries by a
// slice of a head's channels, then as many keys.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { attentionStrides } from '../../ops/attention.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, isHalf, nodeOf } from '../../schedule/values.ts';
import { type Extra, type Fragment, joinFragments, standing, value } from '../fragment.ts';
import { texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { channelsAs, quadsAs, readChannel, readQuad } from '../wgsl/packing.ts';
import { MOST_QUADS } from './attention-subgroup.ts';
import { unrolledProducts } from './products.ts';

type Group = GroupOf<'attention_gradient'>;

/** Vectors that a kernel keeps in workgroup memory in each of its two arrays: 8 of the 16 KB that every adapter has. */
const STAGED_VECTORS = 512;

export function attention_gradient({ graph }: Schedule, group: Group): readonly KernelCall[] {
  const { attrs } = nodeOf(graph, group.anchor, 'attention_gradient');
  const [qkv, g] = group.sources;
  const out = extentOf(graph, group.result);
  const width = out.channels / (3 * attrs.heads);
  const strides = attentionStrides(attrs, width);
  const quads = Math.ceil(width / 4);
  const call = (file: 'attention_gradient_queries' | 'attention_gradient_keys') =>
    callKernel({
      file,
      consts: { QUADS: quads, STAGED: Math.min(16, Math.floor(STAGED_VECTORS / quads)) },
      ...(width % 4 === 0 ? byQuads : byChannels)(graph, group),
      declared: { rows: { kind: 'attention_rows', value: group.result } },
      workgroups: [Math.ceil(out.pixels / 64), attrs.heads, out.batch],
      sizes: {
        positions: out.pixels,
        heads: attrs.heads,
        head_channels: width,
        head_stride: strides.head,
        part_stride: strides.part,
        qkv_row: extentOf(graph, qkv!).quads * 4,
        g_row: extentOf(graph, g!).quads * 4,
        scale: 1 / Math.sqrt(width),
      },
    });
  return [call('attention_gradient_queries'), call('attention_gradient_keys')];
}

export function attentionGradientSubgroup(schedule: Schedule, group: Group): readonly KernelCall[] {
  // heads that begin inside a quad are read from a buffer
  if (group.home === 'buffer') return attention_gradient(schedule, group);
  const { graph } = schedule;
  const { attrs } = nodeOf(graph, group.anchor, 'attention_gradient');
  const [qkv, g] = group.sources;
  const out = extentOf(graph, group.result);
  const width = out.channels / (3 * attrs.heads);
  const strides = attentionStrides(attrs, width);
  const quads = width / 4;
  const slices = Math.ceil(quads / MOST_QUADS);
  const stored = texelHalves(graph, { qkv: qkv!, cotangent: g!, result: group.result });
  const call = (file: 'attention_gradient_queries_subgroup' | 'attention_gradient_keys_subgroup') =>
    callKernel({
      file,
      consts: { HALVES: quads > 8 ? 2 : 1, TEXTURE_WIDTH },
      ...stored,
      hooks: {
        ...stored.hooks,
        multiply: unrolledProducts('scores', 2, null),
        multiply_g: unrolledProducts('products', 2, null),
      },
      declared: {
        qkv: standing(graph, qkv!, group.home),
        cotangent: standing(graph, g!, group.home),
        rows: { kind: 'attention_rows', value: group.result },
        result: standing(graph, group.result, group.home),
      },
      workgroups: [Math.ceil(out.pixels / 16), attrs.heads * slices, out.batch],
      sizes: {
        positions: out.pixels,
        heads: attrs.heads,
        head_quads: quads,
        slices,
        head_stride: strides.head / 4,
        part_stride: strides.part / 4,
        qkv_quads: extentOf(graph, qkv!).quads,
        g_quads: extentOf(graph, g!).quads,
        scale: 1 / Math.sqrt(width),
      },
    });
  return [call('attention_gradient_queries_subgroup'), call('attention_gradient_keys_subgroup')];
}

/** Heads that begin and end with quads are read and written by quads. */
function byQuads(graph: OpGraph, group: Group): Fragment {
  const [qkv, g] = group.sources;
  const half = isHalf(graph, group.result);
  const load = (name: string, id: number) => [
    'if (count == 0u) { return vec4f(); }',
    `return ${readQuad(name, 'at / 4u', isHalf(graph, id))};`,
  ];
  const hooks = {
    load_qkv: load('qkv', qkv!),
    load_g: load('g', g!),
    store_channels: [`if (count > 0u) { result[at / 4u] = ${half ? 'pack_quad(value)' : 'value'}; }`],
  };
  return buffers(group, hooks, (id) => quadsAs(isHalf(graph, id)));
}

function byChannels(graph: OpGraph, group: Group): Fragment {
  const [qkv, g] = group.sources;
  const load = (name: string, id: number) => [
    'var value = vec4f();',
    `for (var c = 0u; c < min(count, 4u); c++) { value[c] = ${readChannel(name, 'at + c', isHalf(graph, id))}; }`,
    'return value;',
  ];
  const hooks = {
    load_qkv: load('qkv', qkv!),
    load_g: load('g', g!),
    store_channels: ['for (var c = 0u; c < min(count, 4u); c++) { result[at + c] = value[c]; }'],
  };
  return buffers(group, hooks, (id) => channelsAs(isHalf(graph, id)));
}

function buffers(group: Group, hooks: Fragment['hooks'], type: (id: number) => Extra['type']): Fragment {
  const [qkv, g] = group.sources;
  const bind = (name: string, access: 'read' | 'read_write', id: number): Extra => {
    return { name, type: type(id), access, resource: value(id) };
  };
  const extra = [
    bind('qkv', 'read', qkv!),
    bind('g', 'read', g!),
    bind('result', 'read_write', group.result),
  ];
  return { ...joinFragments(), hooks, extra };
}
