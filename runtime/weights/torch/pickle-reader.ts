// The bytes of a pickle, read front to back through a small window, however long the file is: every length is checked,
// and a fault names the byte. What is long stays in the file; only its place is kept.

import { type ByteSource, dataView, decodeUtf8, fault, type Origin } from '../../bytes.ts';
import type { RuntimeError } from '../../errors.ts';

/** Where reading stands. */
export interface Cursor {
  readonly source: ByteSource;
  readonly origin: Origin;
  /** A stretch of the source, where it begins in it, and the next byte to be read, counted in the stretch. */
  window: Uint8Array;
  start: number;
  at: number;
}

/** Bytes that stay in the file. `latin1` says that each is written as a character of UTF-8, in one or two bytes. */
export interface Span {
  readonly offset: number;
  readonly length: number;
  readonly latin1: boolean;
}

/** Bytes that are read at a time. Text and bytes that are longer stay in the file. */
export const WINDOW = 2 ** 16;

/** Bytes of the longest integer that is read; a checkpoint's have at most 17, in the state of a generator. */
const MAX_LONG = 64;

/** Begins at byte `at` of `source`. */
export function cursor(source: ByteSource, origin: Origin, at = 0): Cursor {
  return { source, origin, window: new Uint8Array(0), start: at, at: 0 };
}

/** The next byte, counted from the start of the source. */
export function position(m: Cursor): number {
  return m.start + m.at;
}

/** The next `length` bytes, at most a window. They last until the next call. */
export function take(m: Cursor, length: number): Uint8Array {
  if (length > m.window.length - m.at) refill(m, length);
  m.at += length;
  return m.window.subarray(m.at - length, m.at);
}

/** The next byte. */
export function takeByte(m: Cursor): number {
  if (m.at >= m.window.length) refill(m, 1);
  return m.window[m.at++]!;
}

/** The place of the next `length` bytes, which are passed over. */
export function skip(m: Cursor, length: number): Span {
  const offset = position(m);
  checkLeft(m, length);
  m.window = new Uint8Array(0);
  m.start = offset + length;
  m.at = 0;
  return { offset, length, latin1: false };
}

/** Moves the window to where reading stands. */
function refill(m: Cursor, length: number): void {
  checkLeft(m, length);
  const at = position(m);
  m.window = m.source.read(at, Math.min(Math.max(length, WINDOW), m.source.size - at));
  m.start = at;
  m.at = 0;
}

function checkLeft(m: Cursor, length: number): void {
  const left = m.source.size - position(m);
  if (length > left) throw bad(m, `breaks off: ${length} bytes are wanted, ${left} are left`);
}

/** A little-endian unsigned integer of `size` bytes; one of 8 beyond 2⁵³ is rounded, and longer than any pickle. */
export function unsigned(m: Cursor, size: 1 | 2 | 4 | 8): number {
  if (size === 1) return takeByte(m);
  const view = dataView(take(m, size));
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

/** `length` bytes of UTF-8, at most a window. */
export function text(m: Cursor, length: number): string {
  const value = decodeUtf8(take(m, length));
  if (value === null) throw bad(m, 'has text that is not valid UTF-8');
  return value;
}

/** Text up to the end of the line. */
export function line(m: Cursor): string {
  let end = m.window.indexOf(0x0a, m.at);
  if (end < 0) {
    const left = m.source.size - position(m);
    refill(m, Math.min(left, WINDOW));
    end = m.window.indexOf(0x0a, m.at);
    if (end < 0 && left > WINDOW) throw bad(m, `has a line of more than ${WINDOW} bytes`);
    if (end < 0) checkLeft(m, left + 1);
  }
  const value = text(m, end - m.at);
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
  return fault(m.origin, `the pickle, at byte ${position(m)}, ${message}`);
}
