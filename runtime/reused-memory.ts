// Memory of results that are given back. A batch of images is megabytes, and memory that a process is given anew is slower than
// the copy into it: the system has to find every page, and V8 collects garbage for it every few passes.

import type { Tensor } from './tensor.ts';

/** Arrays of a size that wait to be written: as many as results are given back before the next ones are read. */
const WAITING = 4;

export interface ReusedMemory {
  /** So many bytes, which hold anything. */
  take(bytes: number): ArrayBuffer;
  /**
   * Takes tensors back whose memory came from `take`; what came from elsewhere stays as it is. Whoever still holds one of
   * them finds it empty, never with the values of a later pass.
   */
  give(tensors: Iterable<Tensor>): void;
}

/** @param allocate memory that need not hold zeros */
export function createReusedMemory(allocate: (bytes: number) => ArrayBuffer): ReusedMemory {
  const lent = new WeakSet<ArrayBufferLike>();
  const waiting = new Map<number, ArrayBuffer[]>();
  return {
    take(bytes) {
      const buffer = waiting.get(bytes)?.pop() ?? allocate(bytes);
      lent.add(buffer);
      return buffer;
    },
    give(tensors) {
      for (const { data } of tensors) {
        const { buffer } = data;
        if (!lent.delete(buffer)) continue;
        const found = waiting.get(buffer.byteLength) ?? [];
        waiting.set(buffer.byteLength, found);
        // the same memory under another object
        if (found.length < WAITING)
          found.push(structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] }));
      }
    },
  };
}
