// The most memory that a process held.

import { readFileSync } from 'node:fs';

/**
 * Bytes of this process at its peak. Linux counts to `maxRSS` what the process that started this one held, so there the
 * kernel's own mark is read (`VmHWM`, in units of 1024 bytes).
 */
export function peakMemory(): number {
  if (process.platform === 'linux') {
    const mark = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (mark !== undefined) return Number(mark) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
