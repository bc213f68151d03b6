// What every layer is for, as a name that does not move when blocks before it come or go: `down[2].res[0]`.

import type { Graph } from '../graph/graph.ts';
import { layerDef } from '../layers/index.ts';
import { layerLevels, levelsDown } from '../layers/queries.ts';

export interface Role {
  /** `in`, `down[2].res[0]`, `down[2].attn[0]`, `down[2].down`, `middle.res[1]`, `up[0].up`. */
  readonly name: string;
  readonly part: 'down' | 'middle' | 'up';
  /** Downsamplings above it: 0 at the image's own size. */
  readonly level: number;
}

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
      const word = layerDef(layer.type).role(layer);
      const kind = `${here}.${word}`;
      const n = counts.get(kind) ?? 0;
      counts.set(kind, n + 1);
      const levels = layerLevels(layer);
      const name = levels !== 0 && n === 0 ? kind : `${kind}[${n}]`;
      const entry = roles.size === 0 && word === 'conv';
      roles.set(path, { name: entry ? 'in' : name, part, level });
      level += levels;
    }
  }
  return roles;
}

/** Downsamplings of the way down: a size has to survive so many halvings. */
export function depthOf(graph: Graph): number {
  const layers = graph.blocks.filter((b) => b.role === 'input').flatMap((b) => b.layers);
  return levelsDown(layers.map(({ layer }) => layer));
}
