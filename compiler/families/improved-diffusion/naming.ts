// The names of improved-diffusion's checkpoints (and of guided-diffusion's): modules are numbered where they stand, so
// that a layer's prefix is its place in the graph.

import { layerPath } from '../blocks.ts';
import type { Naming } from '../naming.ts';

const MODULE = /^((input|output)_blocks\.\d+\.\d+|middle_block\.\d+|time_embed|label_emb|out)\./;

export const improvedDiffusionNaming: Naming = {
  parts: {
    conv: { conv: '' },
    res_block: {
      norm1: 'in_layers.0',
      silu1: 'in_layers.1',
      conv1: 'in_layers.2',
      time_silu: 'emb_layers.0',
      time: 'emb_layers.1',
      norm2: 'out_layers.0',
      silu2: 'out_layers.1',
      dropout: 'out_layers.2',
      conv2: 'out_layers.3',
      skip: 'skip_connection',
    },
    attention: { norm: 'norm', qkv: 'qkv', q: 'q', k: 'k', v: 'v', attention: 'attention', proj: 'proj_out' },
    downsample: { conv: 'op' },
    upsample: { conv: 'conv' },
    identity: {},
    time_embed: { linear1: '0', silu: '1', linear2: '2' },
    label_emb: { table: '' },
    out: { norm: '0', silu: '1', conv: '2' },
    adaptive_pool: { norm: '0', silu: '1', mean: '2', conv: '3' },
    attention_pool: {
      norm: '0',
      silu: '1',
      tokens: '2',
      qkv: '2.qkv_proj',
      attention: '2.attention',
      proj: '2.c_proj',
    },
    spatial_pool: { linear1: '0', relu: '1', linear2: '2' },
    spatial_pool_v2: { linear1: '0', norm: '1', silu: '2', linear2: '3' },
  },
  besides: {
    time_embed: 'time_embed',
    label_emb: 'label_emb',
    out: 'out',
    adaptive_pool: 'out',
    attention_pool: 'out',
    spatial_pool: 'out',
    spatial_pool_v2: 'out',
  },
  prefixes: (blocks) => blocks.map((block) => block.layers.map((_, layer) => layerPath({ block, layer }))),
  compare: () => 0,
  moduleOf: (name) => MODULE.exec(name)?.[1] ?? name,
};
