// What the statistics of a value take in memory. Where they stand is spelled in
// `codegen/kernels/fragments/statistics_layout.wgsl`.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { StatisticsTiles } from './schedule.ts';
import { extentOf } from './values.ts';

/** Vectors of a quad of channels in a tile: means, M2 and, where tiles are counted, their pixels. */
export const STATISTICS_VECTORS = { plain: 2, counted: 3 } as const;

/** Bytes of a value's statistics: those of each quad of channels in each tile. */
export function statisticsBytes(graph: OpGraph, value: number, { count, counted }: StatisticsTiles): number {
  const { batch, quads } = extentOf(graph, value);
  return batch * count * quads * STATISTICS_VECTORS[counted ? 'counted' : 'plain'] * 16;
}
