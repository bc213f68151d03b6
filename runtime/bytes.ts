// Bytes to read from, wherever they lie: a file opened by `host/node/files.ts`, or memory (a browser's download, a test).

import { RuntimeError, type RuntimeErrorKind } from './errors.ts';
import type { Scratch } from './scratch.ts';

/** What is being read, for messages, and the kind of fault it is when it turns out bad. */
export interface Origin {
  readonly kind: RuntimeErrorKind;
  /** A path, or another name that its user knows it by. */
  readonly label: string;
}

/** Random access to a fixed number of bytes. */
export interface ByteSource {
  readonly size: number;
  /**
   * Bytes `offset … offset + length`, which must lie inside. The caller must not write to the result. It may lie in
   * `scratch` where one is given.
   */
  read(offset: number, length: number, scratch?: Scratch): Uint8Array;
  close(): void;
}

/** What `make` makes of something open that it keeps; where it throws, nothing keeps it, and it is closed. */
export function closeOnThrow<T>(open: { close(): void }, make: () => T): T {
  try {
    return make();
  } catch (error) {
    open.close();
    throw error;
  }
}

/** Closes all of them, also where one throws; then throws what the first threw. */
export function closeEach(opened: Iterable<{ close(): void }>): void {
  const faults: unknown[] = [];
  for (const one of opened) {
    try {
      one.close();
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
}

/** A fault of what is being read: `label: message`. */
export function fault(origin: Origin, message: string, cause?: unknown): RuntimeError {
  return new RuntimeError(origin.kind, `${origin.label}: ${message}`, cause === undefined ? {} : { cause });
}

/** Serves `bytes` without copying them. */
export function bytesInMemory(bytes: Uint8Array, origin: Origin): ByteSource {
  return {
    size: bytes.byteLength,
    read(offset, length) {
      checkRange(origin, bytes.byteLength, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    close() {},
  };
}

/** Throws unless `offset … offset + length` lies inside `size` bytes. */
export function checkRange(origin: Origin, size: number, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= size) return;
  throw fault(
    origin,
    `bytes ${offset} to ${offset + length} are wanted, but there are ${size}; the file is cut short`,
  );
}

/** A little-endian view of `bytes`. */
export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** UTF-8 as text, or null where it is not valid UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
