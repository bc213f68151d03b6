// An unpickler that builds inert data and never calls anything: for the `data.pkl` of a torch.save archive.
// Names of Python's are taken from an allow-list (`pickle-values.ts`) and refused by name otherwise; the stack, the
// memo and every length are checked; a stream that breaks off is told with its byte. Protocols 2 to 5.
// Source of the opcodes: CPython's Lib/pickletools.py.

import { dataView, type Origin } from '../bytes.ts';
import { bad, type Cursor, integerLine, line, long, take, text, unsigned } from './pickle-reader.ts';
import { ALLOWED_GLOBALS, construct, isKind, type PickleValue, storageOf } from './pickle-values.ts';

/** Limits far above any checkpoint's needs: bytes of the pickle, open marks. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_MARKS = 256;

/** Where the machine stands: the bytes, the stack above the last mark, the stacks below, the memo. */
interface Machine extends Cursor {
  stack: PickleValue[];
  readonly below: PickleValue[][];
  readonly memo: Map<number, PickleValue>;
}

/** The value that a pickle describes. Throws a RuntimeError of `origin.kind`, and nothing else, on a bad one. */
export function unpickle(bytes: Uint8Array, origin: Origin): PickleValue {
  const m: Machine = { bytes, origin, at: 0, stack: [], below: [], memo: new Map() };
  if (bytes.length > MAX_BYTES) throw bad(m, `has ${bytes.length} bytes; at most ${MAX_BYTES} are read`);
  for (;;) {
    const opcode = String.fromCharCode(take(m, 1)[0]!);
    if (opcode !== '.') {
      const carried = literal(m, opcode);
      if (carried === undefined) step(m, opcode);
      else m.stack.push(carried);
      continue;
    }
    const value = pop(m);
    if (m.stack.length > 0 || m.below.length > 0) throw bad(m, 'stops with values left on its stack');
    return value;
  }
}

/** The value that an opcode carries in itself, or undefined where it works on the stack. */
function literal(m: Machine, opcode: string): PickleValue | undefined {
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
    case 'U': // SHORT_BINSTRING
      return text(m, unsigned(m, 1));
    case 'X': // BINUNICODE
    case 'T': // BINSTRING
      return text(m, unsigned(m, 4));
    case '\x8d': // BINUNICODE8
      return text(m, unsigned(m, 8));
    case 'C': // SHORT_BINBYTES
      return { kind: 'bytes', value: take(m, unsigned(m, 1)) };
    case 'B': // BINBYTES
      return { kind: 'bytes', value: take(m, unsigned(m, 4)) };
    case '\x8e': // BINBYTES8
    case '\x96': // BYTEARRAY8
      return { kind: 'bytes', value: take(m, unsigned(m, 8)) };
    case ')':
      return { kind: 'tuple', items: [] };
    case ']':
      return { kind: 'list', items: [] };
    case '}':
      return { kind: 'dict', entries: new Map() };
    case '\x8f': // EMPTY_SET
      return { kind: 'set', items: [] };
    case 'c': {
      const module = line(m);
      return global(m, module, line(m));
    }
    case 'h': // BINGET
      return recall(m, unsigned(m, 1));
    case 'j': // LONG_BINGET
      return recall(m, unsigned(m, 4));
    default:
      return undefined;
  }
}

/** Carries out an opcode that works on the stack. */
function step(m: Machine, opcode: string): void {
  switch (opcode) {
    case '\x80': {
      const protocol = unsigned(m, 1);
      if (protocol < 2 || protocol > 5) throw bad(m, `is of protocol ${protocol}; 2 to 5 are read`);
      break;
    }
    case '\x95': // FRAME
      if (unsigned(m, 8) > m.bytes.length - m.at) throw bad(m, 'has a frame that runs past its end');
      break;
    case '(': // MARK
      if (m.below.length >= MAX_MARKS) throw bad(m, `is nested more than ${MAX_MARKS} deep`);
      m.below.push(m.stack);
      m.stack = [];
      break;
    case '0': // POP
      if (m.stack.length > 0) pop(m);
      else popMark(m);
      break;
    case '1': // POP_MARK
      popMark(m);
      break;
    case '2': // DUP
      m.stack.push(top(m));
      break;
    case '\x85': // TUPLE1, TUPLE2, TUPLE3
    case '\x86':
    case '\x87': {
      const count = opcode.charCodeAt(0) - 0x84;
      if (m.stack.length < count) throw bad(m, 'takes more from its stack than is there');
      m.stack.push({ kind: 'tuple', items: m.stack.splice(-count) });
      break;
    }
    case 't': // TUPLE
      replaceMark(m, (items) => ({ kind: 'tuple', items }));
      break;
    case 'l': // LIST
      replaceMark(m, (items) => ({ kind: 'list', items }));
      break;
    case '\x91': // FROZENSET
      replaceMark(m, (items) => ({ kind: 'set', items }));
      break;
    case 'd': // DICT
      replaceMark(m, (items) => setItems(m, { kind: 'dict', entries: new Map() }, items));
      break;
    case 'a': // APPEND
      extend(m, 'list', [pop(m)]);
      break;
    case 'e': // APPENDS
      extend(m, 'list', popMark(m));
      break;
    case '\x90': // ADDITEMS
      extend(m, 'set', popMark(m));
      break;
    case 's': {
      const value = pop(m);
      const key = pop(m);
      setItems(m, top(m), [key, value]);
      break;
    }
    case 'u': {
      const items = popMark(m);
      setItems(m, top(m), items);
      break;
    }
    case 'q': // BINPUT
      m.memo.set(unsigned(m, 1), top(m));
      break;
    case 'r': // LONG_BINPUT
      m.memo.set(unsigned(m, 4), top(m));
      break;
    case '\x94': // MEMOIZE
      m.memo.set(m.memo.size, top(m));
      break;
    case '\x93': {
      const name = pop(m);
      const module = pop(m);
      if (typeof module !== 'string' || typeof name !== 'string') {
        throw bad(m, 'names a global by something else than text');
      }
      m.stack.push(global(m, module, name));
      break;
    }
    case 'R': // REDUCE
    case '\x81': // NEWOBJ
      reduce(m, pop(m));
      break;
    case 'b': // BUILD: attributes of an object; `_metadata` of a state dict is the usual one
      pop(m);
      if (!isKind(top(m), 'dict') && !isKind(top(m), 'tensor')) {
        throw bad(m, 'sets attributes of something that has none');
      }
      break;
    case 'Q': {
      const storage = storageOf(pop(m));
      if (storage === null) throw bad(m, 'has a persistent id that is no tensor storage');
      m.stack.push(storage);
      break;
    }
    default: {
      const code = opcode.charCodeAt(0).toString(16).padStart(2, '0');
      throw bad(m, `has opcode 0x${code}, which no state dict uses`);
    }
  }
}

function reduce(m: Machine, args: PickleValue): void {
  const callable = pop(m);
  if (!isKind(args, 'tuple')) throw bad(m, 'calls a name without a tuple of arguments');
  const value = construct(callable, args.items);
  if (typeof value === 'object' && value !== null && 'wrong' in value) throw bad(m, value.wrong);
  m.stack.push(value);
}

function global(m: Machine, module: string, name: string): PickleValue {
  const full = `${module}.${name}`;
  const meaning = ALLOWED_GLOBALS.get(full);
  if (meaning !== undefined) return { kind: 'global', name: full, meaning };
  throw bad(
    m,
    `names ${JSON.stringify(full.slice(0, 200))}, which is no part of a tensor dictionary; nothing in a checkpoint is ever called. ` +
      'If you trust the file, open it in PyTorch and save the tensors alone: ' +
      "torch.save(model.state_dict(), 'weights.pt')",
  );
}

function extend(m: Machine, kind: 'list' | 'set', items: readonly PickleValue[]): void {
  const target = top(m);
  if (!isKind(target, kind)) throw bad(m, `adds items to something that is no ${kind}`);
  for (const item of items) target.items.push(item);
}

function setItems(m: Machine, target: PickleValue, items: readonly PickleValue[]): PickleValue {
  if (!isKind(target, 'dict')) throw bad(m, 'sets items of something that is no dict');
  if (items.length % 2 !== 0) throw bad(m, 'sets a key without a value');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i]!;
    if (target.entries.has(key))
      throw bad(m, `sets the key ${JSON.stringify(String(key)).slice(0, 200)} twice`);
    target.entries.set(key, items[i + 1]!);
  }
  return target;
}

function pop(m: Machine): PickleValue {
  const value = m.stack.pop();
  if (value === undefined) throw bad(m, 'takes more from its stack than is there');
  return value;
}

function top(m: Machine): PickleValue {
  const value = m.stack.at(-1);
  if (value === undefined) throw bad(m, 'takes more from its stack than is there');
  return value;
}

function replaceMark(m: Machine, make: (items: PickleValue[]) => PickleValue): void {
  const items = popMark(m);
  m.stack.push(make(items));
}

/** What was pushed since the last mark; the stack is what it was before. */
function popMark(m: Machine): PickleValue[] {
  const items = m.stack;
  const before = m.below.pop();
  if (before === undefined) throw bad(m, 'closes a mark that was never set');
  m.stack = before;
  return items;
}

function recall(m: Machine, index: number): PickleValue {
  const value = m.memo.get(index);
  if (value === undefined) throw bad(m, `recalls value ${index}, which it never kept`);
  return value;
}
