// Nearest upsampling in front of a convolution is done in the convolution's addressing: the large image is never
// written.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { ConvGroup, MapGroup, WeightGradientGroup } from '../schedule.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoReader } from './fusion.ts';

export const fuse_nearest_upsample: Fusion = {
  name: 'fuse_nearest_upsample',
  run: (graph, groups) =>
    absorbIntoReader(groups, graph, (map, reader) =>
      reader.kind === 'conv' || reader.kind === 'weight_gradient' ? absorbUpsample(graph, map, reader) : null,
    ),
};

/**
 * A convolution, or the gradient of its weight, that reads the small image of the map in front of it; null where map and
 * reader are no such pair.
 */
export function absorbUpsample<G extends ConvGroup | WeightGradientGroup>(
  graph: OpGraph,
  map: MapGroup,
  reader: G,
): G | null {
  const plain = map.sources.length === 1 && map.upsample !== null && map.prologue.length === 0;
  const fits =
    graph.nodes[reader.anchor]!.op !== 'conv_transpose' &&
    reader.prologue.length === 0 &&
    reader.upsample === null;
  return plain && fits ? { ...reader, sources: map.sources, upsample: map.upsample } : null;
}
