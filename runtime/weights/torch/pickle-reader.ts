// The bytes of a pickle, read front to back: every length is checked, and a fault names the byte.

import { dataView, decodeUtf8, fault, type Origin } from '../bytes.ts';
import type { RuntimeError } from '../errors.ts';

/** Where reading stands. */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly origin: Origin;
  at: number;
}

/** Bytes of the longest integer that is read; a checkpoint's have at most 9. */
const MAX_LONG = 256;

/** The next `length` bytes. */
export function take(m: Cursor, length: number): Uint8Array {
  if (length > m.bytes.length - m.at) {
    throw bad(m, `breaks off: ${length} bytes are wanted, ${m.bytes.length - m.at} are left`);
  }
  m.at += length;
  return m.bytes.subarray(m.at - length, m.at);
}

/** A little-endian unsigned integer of `size` bytes; one of 8 beyond 2⁵³ is rounded, and longer than any pickle. */
export function unsigned(m: Cursor, size: 1 | 2 | 4 | 8): number {
  const view = dataView(take(m, size));
  if (size === 1) return view.getUint8(0);
  if (size === 2) return view.getUint16(0, true);
  if (size === 4) return view.getUint32(0, true);
  return Number(view.getBigUint64(0, true));
}

/** Little-endian two's complement of any length. */
export function long(m: Cursor, size: number): number | bigint {
  if (size > MAX_LONG) throw bad(m, `has an integer of ${size} bytes`);
  let value = 0n;
  for (const byte of take(m, size).toReversed()) value = (value << 8n) | BigInt(byte);
  value = BigInt.asIntN(8 * size, value);
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** `length` bytes of UTF-8. */
export function text(m: Cursor, length: number): string {
  const value = decodeUtf8(take(m, length));
  if (value === null) throw bad(m, 'has text that is not valid UTF-8');
  return value;
}

/** Text up to the end of the line. */
export function line(m: Cursor): string {
  const end = m.bytes.indexOf(0x0a, m.at);
  const value = text(m, (end < 0 ? m.bytes.length + 1 : end) - m.at);
  m.at++;
  return value;
}

/** An integer in decimal digits up to the end of the line. */
export function integerLine(m: Cursor): number {
  const digits = line(m);
  if (!/^-?[0-9]{1,15}$/.test(digits))
    throw bad(m, `has ${JSON.stringify(digits.slice(0, 40))} for an integer`);
  return Number(digits);
}

/** A fault of the pickle at the place that was read last. */
export function bad(m: Cursor, message: string): RuntimeError {
  return fault(m.origin, `the pickle, at byte ${m.at}, ${message}`);
}
