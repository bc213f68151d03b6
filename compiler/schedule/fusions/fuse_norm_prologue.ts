// group_norm, film, silu and a dropout's mask in front of a convolution are applied to its operand as it is loaded: the normalised
// activation is never written. Where nearest upsampling lies between, both are done as the small image is loaded: to
// repeat a value and to apply a function to it commute.

import { fusedIn } from '../groups.ts';
import { hasMask } from '../prologue.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoReader, isPrologue } from './fusion.ts';

export const fuse_norm_prologue: Fusion = {
  name: 'fuse_norm_prologue',
  run: (graph, groups) =>
    absorbIntoReader(groups, graph, (map, reader) => {
      if (reader.kind !== 'conv' && reader.kind !== 'weight_gradient') return null;
      const prologue = [...map.prologue, ...reader.prologue];
      const plain = map.sources.length === 1 && map.upsample === null && map.prologue.length > 0;
      // a kernel reads one mask
      if (hasMask(graph, map.prologue) && hasMask(graph, fusedIn(reader).epilogue)) return null;
      return plain && isPrologue(graph, prologue) ? { ...reader, sources: map.sources, prologue } : null;
    }),
};
