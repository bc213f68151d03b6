// Memory that is used again and again for values that are needed for a moment only. Arrays of megabytes that are made
// anew would pile up: neither the collector nor the allocator gives them back soon.

export interface Scratch {
  /** So many bytes, which hold anything. They last until the next call of `bytes`. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** So many floats, which hold anything, apart from `bytes`. They last until the next call of `floats`. */
  floats(length: number): Float32Array<ArrayBuffer>;
}

/** Takes no memory before it is used, then room for `expected` floats, or for more where more is asked for. */
export function createScratch(expected: number): Scratch {
  let bytes = new Uint8Array(0);
  let floats = new Float32Array(0);
  return {
    bytes(length) {
      if (bytes.length < length) bytes = new Uint8Array(Math.max(length, expected * 4));
      return bytes.subarray(0, length);
    },
    floats(length) {
      if (floats.length < length) floats = new Float32Array(Math.max(length, expected));
      return floats.subarray(0, length);
    },
  };
}
