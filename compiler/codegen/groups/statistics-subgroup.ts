// Statistics of an activation that no convolution writes, for subgroups of 8 lanes.

import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { Schedule, StatisticsGroup } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { standing } from '../fragment.ts';
import { texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

export function statisticsSubgroup({ graph }: Schedule, group: StatisticsGroup): KernelCall {
  const { pixels, quads, batch } = extentOf(graph, group.result);
  const tiles = group.writes;
  return callKernel({
    file: 'statistics_subgroup',
    consts: { TEXTURE_WIDTH },
    ...texelHalves(graph, { source0: group.result }),
    declared: {
      source0: standing(graph, group.result, group.home),
      statistics: { kind: 'statistics', value: group.result, merged: false },
    },
    workgroups: [tiles.count, quads, batch],
    sizes: { pixels, tile_pixels: tiles.pixels, tiles: tiles.count, quads },
  });
}
