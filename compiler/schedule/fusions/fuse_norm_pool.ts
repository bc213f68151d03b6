// group_norm and silu in front of average pooling are applied as the pooling loads: residual blocks that halve the size pool
// between SiLU and convolution, and the large normalised activation is never written.

import type { Fusion } from './fusion.ts';
import { absorbIntoReader, isPrologue } from './fusion.ts';

export const fuse_norm_pool: Fusion = {
  name: 'fuse_norm_pool',
  run: (graph, groups) =>
    absorbIntoReader(groups, graph, (map, reader) => {
      if (reader.kind !== 'avg_pool') return null;
      const prologue = [...map.prologue, ...reader.prologue];
      const plain = map.sources.length === 1 && map.upsample === null && map.prologue.length > 0;
      return plain && isPrologue(graph, prologue) ? { ...reader, sources: map.sources, prologue } : null;
    }),
};
