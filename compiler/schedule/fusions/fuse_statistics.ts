// The statistics that a group_norm needs are written by the convolution that computes its operand: mean and sum of
// squared deviations of each channel of each tile. The activation is not read once more.

import { normedValues } from '../statistics.ts';
import type { Fusion } from './fusion.ts';

export const fuse_statistics: Fusion = {
  name: 'fuse_statistics',
  run: (graph, groups) => {
    const normed = normedValues(graph, groups);
    return groups.map((g) => (g.kind === 'conv' && normed.has(g.result) ? { ...g, statistics: true } : g));
  },
};
