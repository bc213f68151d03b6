// Statistics of channels: of a written activation, and of tiles that are merged.

import type { MergeStatisticsGroup, Schedule, StatisticsGroup } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { value } from '../fragment.ts';
import { storedHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

export function statistics({ graph }: Schedule, group: StatisticsGroup): KernelCall {
  const { pixels, quads, batch } = extentOf(graph, group.result);
  const tiles = group.writes;
  return callKernel({
    file: 'statistics',
    ...storedHalves(graph, { source0: group.result }),
    declared: {
      source0: value(group.result),
      statistics: { kind: 'statistics', value: group.result, merged: false },
    },
    workgroups: [tiles.count, Math.ceil(quads / 8), batch],
    sizes: { pixels, tile_pixels: tiles.pixels, tiles: tiles.count, quads },
  });
}

export function merge_statistics({ graph }: Schedule, group: MergeStatisticsGroup): KernelCall {
  const { pixels, quads, batch } = extentOf(graph, group.result);
  const tiles = group.merges;
  return callKernel({
    file: 'merge_statistics',
    declared: {
      source0: { kind: 'statistics', value: group.result, merged: false },
      statistics: { kind: 'statistics', value: group.result, merged: true },
    },
    workgroups: [Math.ceil(quads / 8), 1, batch],
    sizes: { pixels, tile_pixels: tiles.pixels, tiles: tiles.count, quads },
  });
}
