// An unpickler that builds inert data and never calls anything: for the pickles of torch.save. The stack, the memo and
// every length are checked; a stream that breaks off is told with its byte. Protocols 2 to 5.
// Source of the opcodes: CPython's Lib/pickletools.py.

import type { ByteSource, Origin } from '../../bytes.ts';
import { construct, persistentOf } from './construct.ts';
import { literal, named } from './literals.ts';
import {
  COST,
  charge,
  count,
  createMachine,
  keep,
  type Machine,
  pop,
  popMark,
  push,
  pushMark,
  release,
  top,
} from './machine.ts';
import { buildArray, buildArrayType } from './numpy.ts';
import { bad, position, takeByte, unsigned } from './pickle-reader.ts';
import { isKind, type PickleStorage, type PickleValue } from './pickle-values.ts';

/** What a pickle describes. */
export interface Unpickled {
  readonly value: PickleValue;
  /** Names of Python's that placeholders stand for. */
  readonly placeholders: ReadonlySet<string>;
  /** Every storage that is spoken of, by its key. */
  readonly storages: ReadonlyMap<string, PickleStorage>;
}

/** The value that the one pickle in `source` describes. Throws a RuntimeError of `origin.kind`, and nothing else. */
export function unpickle(source: ByteSource, origin: Origin): Unpickled {
  const m = createMachine(source, origin);
  const value = run(m);
  const left = source.size - position(m);
  if (left > 0) throw bad(m, `ends ${left} bytes before its file does`);
  return { value, placeholders: m.placeholders, storages: m.storages };
}

/** Pickles that stand one after the other. */
export interface Pickles {
  /** Reads the next one. The limits are those of all together. */
  next(): Unpickled;
  /** The byte behind the last one. */
  at(): number;
}

/** Reads pickles from the first byte of `source` on. */
export function readPickles(source: ByteSource, origin: Origin): Pickles {
  const m = createMachine(source, origin);
  return {
    next: () => ({ value: run(m), placeholders: m.placeholders, storages: m.storages }),
    at: () => position(m),
  };
}

/** Runs one pickle to its end. */
function run(m: Machine): PickleValue {
  m.memo.length = 0;
  m.kept = 0;
  for (;;) {
    count(m);
    const opcode = String.fromCharCode(takeByte(m));
    if (opcode === '.') break;
    const carried = literal(m, opcode);
    if (carried === undefined) step(m, opcode);
    else push(m, carried);
  }
  const value = pop(m);
  if (m.stack.length > 0 || m.below.length > 0) throw bad(m, 'stops with values left on its stack');
  return value;
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
      if (unsigned(m, 8) > m.source.size - position(m)) throw bad(m, 'has a frame that runs past its end');
      break;
    case '(':
      pushMark(m);
      break;
    case '0': // POP
      if (m.stack.length > 0) pop(m);
      else popMark(m);
      break;
    case '1': // POP_MARK
      popMark(m);
      break;
    case '2': // DUP
      push(m, top(m));
      break;
    case '\x85': // TUPLE1, TUPLE2, TUPLE3
    case '\x86':
    case '\x87': {
      const length = opcode.charCodeAt(0) - 0x84;
      if (m.stack.length < length) throw bad(m, 'takes more from its stack than is there');
      release(m, COST.slot * length);
      pushContainer(m, 'tuple', m.stack.splice(-length));
      break;
    }
    case 't': // TUPLE
      pushContainer(m, 'tuple', popMark(m));
      break;
    case 'l': // LIST
      pushContainer(m, 'list', popMark(m));
      break;
    case '\x91': // FROZENSET
      pushContainer(m, 'set', popMark(m));
      break;
    case 'd': {
      const items = popMark(m);
      charge(m, COST.dict);
      push(m, { kind: 'dict', entries: new Map() });
      setItems(m, items);
      break;
    }
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
      setItems(m, [pop(m), value]);
      break;
    }
    case 'u':
      setItems(m, popMark(m));
      break;
    case 'q': // BINPUT
      keep(m, unsigned(m, 1));
      break;
    case 'r': // LONG_BINPUT
      keep(m, unsigned(m, 4));
      break;
    case '\x94': // MEMOIZE
      keep(m, m.kept);
      break;
    case '\x93': {
      const name = pop(m);
      const module = pop(m);
      if (typeof module !== 'string' || typeof name !== 'string') {
        throw bad(m, 'names a global by something else than text');
      }
      push(m, named(m, module, name));
      break;
    }
    case 'R': // REDUCE
    case '\x81': // NEWOBJ
      call(m, pop(m));
      break;
    case 'o': {
      // OBJ: the class and the arguments of an instance, as Python 2 writes it
      const [callable, ...items] = popMark(m);
      if (callable === undefined) throw bad(m, 'takes more from its stack than is there');
      push(m, callable);
      call(m, { kind: 'tuple', items });
      break;
    }
    case '\x92': // NEWOBJ_EX: arguments by name go unread
      pop(m);
      call(m, pop(m));
      break;
    case 'b':
      build(m, pop(m));
      break;
    case 'Q': {
      const found = persistentOf(pop(m));
      if (found === null) throw bad(m, 'has a persistent id that is no tensor storage');
      if (isKind(found, 'storage') && !m.storages.has(found.key)) m.storages.set(found.key, found);
      charge(m, COST.call);
      push(m, found);
      break;
    }
    default: {
      const code = opcode.charCodeAt(0).toString(16).padStart(2, '0');
      throw bad(m, `has opcode 0x${code}, which no state dict uses`);
    }
  }
}

function pushContainer(m: Machine, kind: 'tuple' | 'list' | 'set', items: PickleValue[]): void {
  charge(m, COST.small + COST.slot * items.length);
  push(m, { kind, items });
}

function call(m: Machine, args: PickleValue): void {
  const callable = pop(m);
  if (!isKind(args, 'tuple')) throw bad(m, 'calls a name without a tuple of arguments');
  charge(m, COST.call);
  const value = construct(callable, args.items, (bytes) => charge(m, bytes));
  if (typeof value === 'object' && value !== null && 'wrong' in value) throw bad(m, value.wrong);
  push(m, value);
}

/** Attributes of an object, such as `_metadata` of a state dict: only arrays of NumPy's keep what they need in them. */
function build(m: Machine, state: PickleValue): void {
  const target = top(m);
  if (isKind(target, 'array')) {
    const wrong = buildArray(target, state);
    if (wrong !== null) throw bad(m, wrong);
  } else if (isKind(target, 'array_type')) buildArrayType(target, state);
  else if (!isKind(target, 'dict') && !isKind(target, 'tensor') && !isKind(target, 'opaque')) {
    throw bad(m, 'sets attributes of something that has none');
  }
}

function extend(m: Machine, kind: 'list' | 'set', items: readonly PickleValue[]): void {
  const target = top(m);
  // A list of a class that nobody imports.
  if (isKind(target, 'opaque')) return;
  if (!isKind(target, kind)) throw bad(m, `adds items to something that is no ${kind}`);
  charge(m, COST.slot * items.length);
  for (const item of items) target.items.push(item);
}

function setItems(m: Machine, items: readonly PickleValue[]): void {
  const target = top(m);
  if (isKind(target, 'opaque')) return;
  if (!isKind(target, 'dict')) throw bad(m, 'sets items of something that is no dict');
  if (items.length % 2 !== 0) throw bad(m, 'sets a key without a value');
  charge(m, COST.entry * (items.length / 2));
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i]!;
    if (target.entries.has(key))
      throw bad(m, `sets the key ${JSON.stringify(String(key)).slice(0, 200)} twice`);
    target.entries.set(key, items[i + 1]!);
  }
}
