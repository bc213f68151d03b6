// What a sound graph can ask for and no kernel reaches: a grid beyond the target's limit, and sizes beyond the 32 bits
// in which kernels count.

import type { Diagnostic } from '../diagnostics.ts';
import { count } from '../graph/words.ts';
import type { Target } from '../target.ts';
import type { KernelCall } from './kernel-call.ts';

/** A call, and the path of what it computes. */
export interface PlacedCall {
  readonly path: string;
  readonly call: KernelCall;
}

/** What each axis of a grid goes over: what to make smaller, and where the graph's file has it. */
const AXES = [
  { fix: 'use a smaller image_size', pointer: '/image_size' },
  { fix: 'use fewer channels', pointer: '' },
  { fix: 'use a smaller batch', pointer: '' },
] as const;

/** A fault for each axis that is too long, and one for sizes that are too large, each at the first call that has it. */
export function checkReach(calls: readonly PlacedCall[], { limits, name }: Target): readonly Diagnostic[] {
  const most = limits.maxComputeWorkgroupsPerDimension;
  const tooLong = AXES.flatMap(({ fix, pointer }, axis) => {
    const found = calls.filter(({ call }) => call.workgroups[axis]! > most);
    const grid = found[0]?.call.workgroups.join(' x ');
    const what = `a grid of ${grid} workgroups, the target ${name} has at most ${most} in each direction`;
    return fault(found, pointer, `${what}; ${fix}`);
  });
  const large = calls.filter(({ call }) => call.overflow !== null);
  const what = `a size (${large[0]?.call.overflow}) that is beyond the 32 bits in which kernels count`;
  return [...tooLong, ...fault(large, '', `${what}; use a smaller image_size or fewer channels`)];
}

function fault(found: readonly PlacedCall[], pointer: string, message: string): readonly Diagnostic[] {
  const [first, ...rest] = new Set(found.map(({ path }) => path));
  if (first === undefined) return [];
  const others = rest.length === 0 ? '' : ` and ${count(rest.length, 'other')}`;
  return [{ severity: 'error', code: 'G022', pointer, message: `${first}${others}: found ${message}` }];
}
