// The names of diffusers' checkpoints: modules are counted level by level and kind by kind. Source: diffusers, unet_2d.py,
// unet_2d_blocks.py, resnet.py, attention_processor.py.

import type { Layer } from '../../layers/index.ts';
import { layerLevels } from '../../layers/queries.ts';
import type { DraftBlock } from '../blocks.ts';
import { improvedDiffusionNaming } from '../improved-diffusion/naming.ts';
import type { Naming } from '../naming.ts';

const MODULE =
  /^((?:down_blocks\.\d+|mid_block|up_blocks\.\d+)\.[a-z]+\.\d+|conv_in|time_embedding|class_embedding|conv_norm_out|conv_out)\./;

const { adaptive_pool, attention_pool, spatial_pool, spatial_pool_v2 } = improvedDiffusionNaming.parts;

/** Diffusers has no such classifiers; in the explicit form they keep the names that they have elsewhere. */
const pools = { adaptive_pool, attention_pool, spatial_pool, spatial_pool_v2 };

export const diffusersNaming: Naming = {
  parts: {
    ...pools,
    conv: { conv: '' },
    res_block: {
      norm1: 'norm1',
      silu1: 'nonlinearity1',
      conv1: 'conv1',
      time_silu: 'nonlinearity',
      time: 'time_emb_proj',
      norm2: 'norm2',
      silu2: 'nonlinearity2',
      dropout: 'dropout',
      conv2: 'conv2',
      skip: 'conv_shortcut',
    },
    attention: {
      norm: 'group_norm',
      qkv: 'to_qkv',
      q: 'to_q',
      k: 'to_k',
      v: 'to_v',
      attention: 'processor',
      proj: 'to_out.0',
    },
    downsample: { conv: 'conv' },
    upsample: { conv: 'conv' },
    identity: {},
    time_embed: { linear1: 'linear_1', silu: 'act', linear2: 'linear_2' },
    label_emb: { table: '' },
    out: { norm: 'conv_norm_out', silu: 'conv_act', conv: 'conv_out' },
  },
  besides: {
    ...improvedDiffusionNaming.besides,
    time_embed: 'time_embedding',
    label_emb: 'class_embedding',
    out: '',
  },
  prefixes: prefixesOf,
  compare: (a, b) => rankOf(a) - rankOf(b),
  moduleOf(name) {
    const module = MODULE.exec(name)?.[1] ?? name;
    return /^conv_(norm_)?out$/.test(module) ? 'out' : module;
  },
};

/** Levels begin behind a layer that halves or doubles; within one, layers of a kind are counted. */
function prefixesOf(blocks: readonly DraftBlock[]): readonly (readonly string[])[] {
  const counts = new Map<string, number>();
  const levels = { input: 0, middle: 0, output: 0 };
  return blocks.map(({ role, index, layers }) =>
    layers.map((layer, at) => {
      if (role === 'input' && index === 0 && at === 0 && layer.type === 'conv') return 'conv_in';
      const level = {
        input: `down_blocks.${levels.input}`,
        middle: 'mid_block',
        output: `up_blocks.${levels.output}`,
      };
      const kind = `${level[role]}.${kindOf(layer)}`;
      const count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      if (layerLevels(layer) !== 0) levels[role] += 1;
      return `${kind}.${count}`;
    }),
  );
}

/** The list that a layer stands in. */
function kindOf(layer: Layer): string {
  const levels = layerLevels(layer);
  if (levels !== 0) return levels > 0 ? 'downsamplers' : 'upsamplers';
  switch (layer.type) {
    case 'res_block':
      return 'resnets';
    case 'attention':
      return 'attentions';
    case 'conv':
    case 'downsample':
    case 'upsample':
      return 'convs';
    case 'identity':
      return 'identities';
  }
}

/** The parts of a model in the order of a checkpoint, and the lists of a level; what is in none comes last. */
const PARTS = ['conv_in', 'time_embedding', 'class_embedding', 'down_blocks', 'up_blocks', 'mid_block'];
const KINDS = ['attentions', 'resnets'];

/** The place of a parameter among those of other parts, levels and lists. */
function rankOf(name: string): number {
  const [part = '', ...rest] = name.split('.');
  const at = PARTS.indexOf(part);
  if (at === -1) return PARTS.length * 1e6;
  const [level, kind] = part === 'mid_block' ? ['0', rest[0]] : rest;
  const list = KINDS.indexOf(kind ?? '');
  return at * 1e6 + (at < 3 ? 0 : Number(level) * 10 + (list === -1 ? KINDS.length : list));
}
