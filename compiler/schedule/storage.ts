// Which values are copied to storage textures: on a processor a texture is read at half the cost of a buffer, so what
// a convolution reads for every tap is copied to one. Everything else stays in buffers.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import { bytesOf } from './cost.ts';
import { readsOf } from './groups.ts';
import type { Group } from './schedule.ts';
import { resolveView } from './values.ts';

/** Texels of a row of a storage texture; a value fills rows in the order of its quads. */
export const TEXTURE_WIDTH = 2048;

/** Values that a map writes and that nothing reads but convolutions as their input, tap by tap. */
export function textureValues(
  graph: OpGraph,
  groups: readonly Group[],
  target: Target,
  isWinograd: (group: Group) => boolean,
): ReadonlySet<number> {
  if (target.products !== 'subgroup') return new Set();
  const most = TEXTURE_WIDTH * target.limits.maxTextureDimension2D * 16;
  const textures = new Set(
    groups.filter((g) => g.kind === 'map' && bytesOf(graph, g.result) <= most).map((g) => g.result),
  );
  for (const { value } of graph.outputs) textures.delete(resolveView(graph, value).value);
  for (const group of groups) {
    const others = [...readsOf(group)];
    if (group.kind === 'conv' && !isWinograd(group)) others.splice(0, group.sources.length);
    for (const value of others) textures.delete(value);
  }
  return textures;
}
