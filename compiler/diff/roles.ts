// What every layer is for, as a name that does not move when blocks before it come or go: `down[2].res[0]`.

import type { Graph, LayerType } from '../graph/graph.ts';

export interface Role {
  /** `in`, `down[2].res[0]`, `down[2].attn[0]`, `down[2].down`, `middle.res[1]`, `up[0].up`. */
  readonly name: string;
  readonly part: 'down' | 'middle' | 'up';
  /** Downsamplings above it: 0 at the image's own size. */
  readonly level: number;
}

const KINDS: Readonly<Record<LayerType, string>> = {
  conv: 'conv',
  res_block: 'res',
  attention: 'attn',
  downsample: 'down',
  upsample: 'up',
};

const PARTS = { input: 'down', middle: 'middle', output: 'up' } as const;

/** The role of each layer, by its path. */
export function rolesOf(graph: Graph): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  const counts = new Map<string, number>();
  let level = 0;
  for (const block of graph.blocks) {
    const part = PARTS[block.role];
    for (const { layer, path } of block.layers) {
      const here = part === 'middle' ? part : `${part}[${level}]`;
      const kind = `${here}.${KINDS[layer.type]}`;
      const n = counts.get(kind) ?? 0;
      counts.set(kind, n + 1);
      const once = layer.type === 'downsample' || layer.type === 'upsample';
      const name = once && n === 0 ? kind : `${kind}[${n}]`;
      const entry = roles.size === 0 && layer.type === 'conv';
      roles.set(path, { name: entry ? 'in' : name, part, level });
      if (layer.type === 'downsample') level++;
      if (layer.type === 'upsample') level--;
    }
  }
  return roles;
}

/** Downsamplings of the way down: a size has to survive so many halvings. */
export function depthOf(graph: Graph): number {
  const layers = graph.blocks.filter((b) => b.role === 'input').flatMap((b) => b.layers);
  return layers.filter(({ layer }) => layer.type === 'downsample').length;
}
