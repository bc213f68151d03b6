// Operations of a pickle that carry their value in themselves: numbers, text, bytes, empty containers, names.

import { dataView, decodeUtf8 } from '../../bytes.ts';
import { COST, charge, charged, type Machine, recall } from './machine.ts';
import { meaningOf } from './pickle-globals.ts';
import { integerLine, line, long, skip, take, text, unsigned, WINDOW } from './pickle-reader.ts';
import type { PickleValue } from './pickle-values.ts';

/** The value that an opcode carries in itself, or undefined where it works on the stack. */
export function literal(m: Machine, opcode: string): PickleValue | undefined {
  switch (opcode) {
    case 'N':
      return null;
    case '\x88': // NEWTRUE
      return true;
    case '\x89': // NEWFALSE
      return false;
    case 'K': // BININT1
      return unsigned(m, 1);
    case 'M': // BININT2
      return unsigned(m, 2);
    case 'J': // BININT
      return unsigned(m, 4) | 0;
    case 'I': // INT
      return integerLine(m);
    case '\x8a': // LONG1
      return long(m, unsigned(m, 1));
    case '\x8b': // LONG4
      return long(m, unsigned(m, 4));
    case 'G': // BINFLOAT
      return dataView(take(m, 8)).getFloat64(0, false);
    case '\x8c': // SHORT_BINUNICODE
      return textOf(m, unsigned(m, 1));
    case 'X': // BINUNICODE
      return textOf(m, unsigned(m, 4));
    case '\x8d': // BINUNICODE8
      return textOf(m, unsigned(m, 8));
    case 'U': // SHORT_BINSTRING
      return oldText(m, unsigned(m, 1));
    case 'T': // BINSTRING
      return oldText(m, unsigned(m, 4));
    case 'C': // SHORT_BINBYTES
      return bytesOf(m, unsigned(m, 1));
    case 'B': // BINBYTES
      return bytesOf(m, unsigned(m, 4));
    case '\x8e': // BINBYTES8
    case '\x96': // BYTEARRAY8
      return bytesOf(m, unsigned(m, 8));
    case ')':
      return charged(m, { kind: 'tuple', items: [] }, COST.small);
    case ']':
      return charged(m, { kind: 'list', items: [] }, COST.small);
    case '}':
      return charged(m, { kind: 'dict', entries: new Map() }, COST.dict);
    case '\x8f': // EMPTY_SET
      return charged(m, { kind: 'set', items: [] }, COST.small);
    case 'c': {
      const module = line(m);
      return named(m, module, line(m));
    }
    case 'h': // BINGET
      return recall(m, unsigned(m, 1));
    case 'j': // LONG_BINGET
      return recall(m, unsigned(m, 4));
    default:
      return undefined;
  }
}

/** A name of Python's. One that is not known is a placeholder. */
export function named(m: Machine, module: string, name: string): PickleValue {
  const full = `${module}.${name}`;
  const meaning = meaningOf(full);
  if (meaning.is === 'unknown') m.placeholders.add(full);
  charge(m, COST.dict + full.length);
  return { kind: 'global', name: full, meaning };
}

function textOf(m: Machine, length: number): PickleValue {
  if (length > WINDOW) return charged(m, { kind: 'text', value: skip(m, length) }, COST.small);
  charge(m, COST.small + length);
  return text(m, length);
}

/** Python 2's text, which may be bytes: where it is not valid UTF-8, it is. */
function oldText(m: Machine, length: number): PickleValue {
  if (length > WINDOW) return charged(m, { kind: 'text', value: skip(m, length) }, COST.small);
  charge(m, COST.small + length);
  const bytes = take(m, length);
  return decodeUtf8(bytes) ?? { kind: 'bytes', value: Uint8Array.from(bytes) };
}

/** A copy where it is short, for the window would stay in memory with it, else the place in the file. */
function bytesOf(m: Machine, length: number): PickleValue {
  if (length > WINDOW) return charged(m, { kind: 'bytes', value: skip(m, length) }, COST.small);
  charge(m, COST.dict + length);
  return { kind: 'bytes', value: Uint8Array.from(take(m, length)) };
}
