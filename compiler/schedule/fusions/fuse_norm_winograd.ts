// group_norm, film and silu in front of a convolution by Winograd's algorithm are applied by its input transform, which
// reads each pixel about twice: the normalised activation is never written. What a dropout's mask is applied to is: its map
// takes half a hundredth of a backward pass, less than a transform of its own is worth.

import type { Choose } from '../choices/candidates.ts';
import { hasMask } from '../prologue.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoReader } from './fusion.ts';

export const fuse_norm_winograd = (choose: Choose): Fusion => ({
  name: 'fuse_norm_winograd',
  run: (graph, groups) =>
    absorbIntoReader(groups, graph, (map, reader) => {
      if (reader.kind !== 'conv') return null;
      const plain = map.upsample === null && map.prologue.length > 0 && reader.prologue.length === 0;
      if (!plain || hasMask(graph, map.prologue) || !choose(reader).winograd) return null;
      return { ...reader, sources: map.sources, prologue: map.prologue };
    }),
});
