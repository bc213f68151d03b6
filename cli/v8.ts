// V8, set for a program that computes for a tenth of a second at its start and then waits for a GPU.

import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the space for young objects at the size it has. V8 would let it grow to 48 MB, which costs a program that
 * compiles for a tenth of a second more memory than it saves time.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Has V8 optimise a function after eight times as much work as by default. What runs only once, as loading modules and
 * the compiler do, is over before that pays, and takes less processor time without; loops over weights are optimised a
 * few milliseconds later.
 */
export function optimiseLater(): void {
  const flag = laterFlag(process.versions.node);
  if (flag !== null) setFlagsFromString(flag);
}

/**
 * The flag by which a version of Node optimises later. Null where the default does as well, and for a version whose
 * flags are not known: V8 would print that it does not know one.
 */
export function laterFlag(node: string): string | null {
  if (node.startsWith('20.')) return '--interrupt-budget=540672';
  if (node.startsWith('22.')) return '--invocation-count-for-turbofan=24000';
  return null;
}
