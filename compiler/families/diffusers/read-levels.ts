// The levels of a UNet2DModel's checkpoint, by what their lists of layers hold.

import type { Layer } from '../../layers/index.ts';
import type { Shape } from '../../ops/op.ts';
import { readLayer } from '../naming.ts';
import type { Tensors } from '../tensors.ts';
import { diffusersNaming } from './naming.ts';

/** What a level's tensors tell. */
export interface LevelTensors {
  readonly width: number;
  readonly resnets: readonly Layer[];
  /** Its first attention; null without. */
  readonly attention: (Layer & { readonly type: 'attention' }) | null;
  /** How it leads to the next level; null where it does not. */
  readonly resampling: 'conv' | 'resnet' | null;
}

export interface ModelTensors {
  readonly down: readonly LevelTensors[];
  readonly middle: LevelTensors;
  readonly up: readonly LevelTensors[];
}

const LAYER = /^(down_blocks\.\d{1,2}|mid_block|up_blocks\.\d{1,2})\.([a-z]+)\.(\d{1,3})\.(.+)$/;

/** The lists that a level may have. */
const KINDS = ['resnets', 'attentions', 'downsamplers', 'upsamplers'];

/** The levels of both ways and the middle; or what they have that no UNet2DModel has. */
export function readLevels(tensors: Tensors): ModelTensors | string {
  const levels = new Map<string, Map<string, Map<number, Map<string, Shape>>>>();
  for (const [name, shape] of tensors) {
    const found = LAYER.exec(name);
    if (!found) continue;
    const [, level = '', kind = '', index = '', rest = ''] = found;
    if (!KINDS.includes(kind)) return `no UNet2DModel has ${name}`;
    const kinds = entry(levels, level, () => new Map<string, Map<number, Map<string, Shape>>>());
    const layers = entry(kinds, kind, () => new Map<number, Map<string, Shape>>());
    entry(layers, Number(index), () => new Map<string, Shape>()).set(rest, shape);
  }
  const read = (level: string): LevelTensors => {
    const layersOf = (kind: string) =>
      [...(levels.get(level)?.get(kind) ?? [])]
        .toSorted(([a], [b]) => a - b)
        .map(([, own]) => readLayer(diffusersNaming, own))
        .filter((layer) => layer !== null);
    const resnets = layersOf('resnets');
    const attention = layersOf('attentions').find((layer) => layer.type === 'attention');
    const [resampling] = [...layersOf('downsamplers'), ...layersOf('upsamplers')];
    const [first] = resnets;
    return {
      width: first?.type === 'res_block' ? first.out_channels : 0,
      resnets,
      attention: attention ?? null,
      resampling: resampling === undefined ? null : resampling.type === 'res_block' ? 'resnet' : 'conv',
    };
  };
  const ways = (way: string) => {
    const count = [...levels.keys()].filter((level) => level.startsWith(`${way}.`)).length;
    return Array.from({ length: count }, (_, i) => read(`${way}.${i}`));
  };
  const [down, up] = [ways('down_blocks'), ways('up_blocks')];
  if (down.length === 0 || up.length === 0) return 'it has no levels on the way down and up';
  const bare = [
    ...down.map(({ width }, i) => ({ width, level: `down_blocks.${i}` })),
    ...up.map(({ width }, i) => ({ width, level: `up_blocks.${i}` })),
  ].find(({ width }) => width === 0);
  if (bare !== undefined) {
    return `${bare.level}.resnets is missing or no list of residual blocks: levels count from 0 without gaps, and each has some`;
  }
  return { down, middle: read('mid_block'), up };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
