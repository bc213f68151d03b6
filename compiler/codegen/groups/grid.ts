// The grid of kernels that go over all quads of a sample, 64 a workgroup and round.

import type { Extent } from '../../schedule/values.ts';

/** More workgroups than this would only wait for each other. */
const MAX_WORKGROUPS = 16384;

export function gridOf({ pixels, quads, batch }: Extent): readonly [number, number, number] {
  return [Math.min(MAX_WORKGROUPS, Math.ceil((pixels * quads) / 64)), 1, batch];
}
