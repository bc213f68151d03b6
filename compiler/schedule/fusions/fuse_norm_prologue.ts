// group_norm, film and silu in front of a convolution are applied to its operand as it is loaded: the normalised
// activation is never written. A linear layer takes a silu the same way.

import type { Fusion } from './fusion.ts';
import { absorbIntoReader, opNames } from './fusion.ts';

/** What may stand in front of a convolution, by the names of the ops. */
const PROLOGUES = [
  'silu',
  'film,silu',
  'group_norm,silu',
  'group_norm,film,silu',
  'group_norm',
  'film',
  'group_norm,film',
];

export const fuse_norm_prologue: Fusion = {
  name: 'fuse_norm_prologue',
  run: (graph, groups) =>
    absorbIntoReader(groups, graph, (map, reader) => {
      const prologue = [...map.prologue, ...reader.prologue];
      const names = opNames(graph, prologue).join();
      const fits =
        reader.kind === 'conv' ? PROLOGUES.includes(names) : reader.kind === 'linear' && names === 'silu';
      const plain = map.sources.length === 1 && map.upsample === null && map.prologue.length > 0;
      return fits && plain && reader.upsample === null ? { ...reader, sources: map.sources, prologue } : null;
    }),
};
