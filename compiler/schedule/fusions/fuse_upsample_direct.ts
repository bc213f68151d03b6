// Nearest upsampling in front of a convolution that is computed by its taps, on processors: a lane finds its pixel once a
// tap. Winograd's input transform would find it for every pixel of a patch, and reads the large image.

import type { Choose } from '../choices/candidates.ts';
import { absorbUpsample } from './fuse_nearest_upsample.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoReader } from './fusion.ts';

export const fuse_upsample_direct = (choose: Choose): Fusion => ({
  name: 'fuse_upsample_direct',
  run: (graph, groups) =>
    absorbIntoReader(groups, graph, (map, reader) => {
      if (reader.kind !== 'conv') return null;
      const absorbed = absorbUpsample(graph, map, reader);
      return absorbed && choose(reader).winograd === null ? absorbed : null;
    }),
});
