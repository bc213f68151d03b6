// The grids of kernels whose workgroups of 64 threads go over all that there is in rounds.

import type { Extent } from '../../schedule/values.ts';

/** More workgroups than this would only wait for each other. */
const MAX_WORKGROUPS = 16384;

/** All quads of a sample. */
export function gridOf({ pixels, quads, batch }: Extent): readonly [number, number, number] {
  return [workgroupsFor(pixels * quads, MAX_WORKGROUPS), 1, batch];
}

/** A list of `length`, in at most `most` workgroups. */
export function gridOver(length: number, most: 1024 | 4096): readonly [number, number, number] {
  return [workgroupsFor(length, most), 1, 1];
}

function workgroupsFor(threads: number, most: number): number {
  return Math.min(most, Math.ceil(threads / 64));
}
