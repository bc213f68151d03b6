// group_norm, film and silu that follow each other are one pass over the activation.

import type { Fusion } from './fusion.ts';
import { absorbIntoReader, isPrologue } from './fusion.ts';

export const fuse_norm_map: Fusion = {
  name: 'fuse_norm_map',
  run: (graph, groups) =>
    absorbIntoReader(groups, graph, (map, reader) => {
      if (reader.kind !== 'map') return null;
      const prologue = [...map.prologue, ...reader.prologue];
      const plain = [map, reader].every(
        (g) => g.upsample === null && g.sources.length === 1 && g.prologue.length > 0,
      );
      return plain && isPrologue(graph, prologue)
        ? { ...reader, anchor: map.anchor, sources: map.sources, prologue }
        : null;
    }),
};
