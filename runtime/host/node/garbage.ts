// Gives back at once what V8 no longer needs. It collects garbage by how much JavaScript allocates, and knows nothing of what a
// driver on a processor is about to take for buffers: what compiling left would stay until long after the peak.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null = null;

/** A whole collection, some tens of milliseconds. Does nothing where this V8 does not offer it. */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('typeof gc === "function" ? gc : null');
    collect = typeof found === 'function' ? () => found() : () => undefined;
    setFlagsFromString('--no-expose-gc');
  }
  collect();
}
