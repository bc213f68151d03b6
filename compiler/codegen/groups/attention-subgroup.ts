// Attention in one dispatch for subgroups of 8 lanes: 8 queries by 64 channels of a head a subgroup.

import type { Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import { readBuffer, value } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { attentionSizes } from './attention.ts';

export function attentionSubgroup({ graph }: Schedule, group: ScheduledGroup): KernelCall {
  const { sizes, heads, batch } = attentionSizes(graph, group);
  // heads that begin and end with quads are read by quads
  const quads = sizes.head_channels % 4 === 0;
  const type = quads ? 'array<vec4f>' : 'array<f32>';
  return callKernel({
    file: 'attention_subgroup',
    hooks: quads ? BY_QUADS : BY_CHANNELS,
    declared: {},
    extra: [
      readBuffer('qkv', value(group.sources[0]!), type),
      { name: 'result', type, access: 'read_write', resource: value(group.result) },
    ],
    workgroups: [Math.ceil(sizes.positions / 8), heads * sizes.slices, batch],
    sizes,
  });
}

const BY_QUADS = {
  load_channels: ['return select(vec4f(), qkv[at / 4u], count > 0u);'],
  store_channels: ['if (count > 0u) { result[at / 4u] = value; }'],
};

const BY_CHANNELS = {
  load_channels: [
    'var value = vec4f();',
    'for (var c = 0u; c < min(count, 4u); c++) { value[c] = qkv[at + c]; }',
    'return value;',
  ],
  store_channels: ['for (var c = 0u; c < min(count, 4u); c++) { result[at + c] = value[c]; }'],
};
