// The bytes of a download as they come in: one buffer of the size that the server names, which grows where it named none.

export interface Received {
  readonly length: number;
  append(chunk: Uint8Array): void;
  /** Begins anew, for `expected` bytes; null where nobody knows how many. Throws RangeError where there is no memory. */
  begin(expected: number | null): void;
  /** What came in so far, not copied. */
  bytes(): Uint8Array<ArrayBuffer>;
}

/** Where the size is not known. */
const FIRST = 2 ** 16;

export function createReceived(): Received {
  let buffer = new Uint8Array(0);
  let length = 0;
  const grow = (size: number) => {
    const larger = new Uint8Array(size);
    larger.set(buffer.subarray(0, length));
    buffer = larger;
  };
  return {
    get length() {
      return length;
    },
    append(chunk) {
      const end = length + chunk.length;
      if (end > buffer.length) grow(Math.max(end, 2 * buffer.length, FIRST));
      buffer.set(chunk, length);
      length = end;
    },
    begin(expected) {
      length = 0;
      if (buffer.length !== expected) buffer = new Uint8Array(expected ?? 0);
    },
    bytes: () => buffer.subarray(0, length),
  };
}
