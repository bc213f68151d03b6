// The machine that a pickle runs on: a stack with marks, a memo, and what is left of two limits far above any
// checkpoint's needs. Operations and memory are counted, so that a small file that asks for much ends early.

import type { ByteSource, Origin } from '../../bytes.ts';
import { bad, type Cursor, cursor } from './pickle-reader.ts';
import type { PickleStorage, PickleValue } from './pickle-values.ts';

/** Operations of all pickles of a file. A checkpoint has some 30 a tensor. */
const MAX_OPERATIONS = 2_000_000;
/** Bytes that the values may take, about. A checkpoint's take 1 KB a tensor. */
const MAX_MEMORY = 32 * 2 ** 20;
const MAX_MARKS = 256;

/** About what values take in memory, in bytes, with what a list or a dict that grows has spare: a slot, objects by kind. */
export const COST = { slot: 32, memo: 20, small: 72, mark: 72, entry: 64, dict: 288, call: 160 } as const;

/** Where the machine stands: the bytes, the stack above the last mark, the stacks below, the memo, what is left. */
export interface Machine extends Cursor {
  stack: PickleValue[];
  readonly below: PickleValue[][];
  /** By index; undefined where nothing was kept. */
  readonly memo: (PickleValue | undefined)[];
  /** How many are kept. */
  kept: number;
  operations: number;
  memory: number;
  /** Names of Python's that placeholders stand for. */
  readonly placeholders: Set<string>;
  /** Every storage that is spoken of, by its key. */
  readonly storages: Map<string, PickleStorage>;
}

export function createMachine(source: ByteSource, origin: Origin): Machine {
  return {
    ...cursor(source, origin),
    stack: [],
    below: [],
    memo: [],
    kept: 0,
    operations: MAX_OPERATIONS,
    memory: MAX_MEMORY,
    placeholders: new Set(),
    storages: new Map(),
  };
}

/** Counts one operation. */
export function count(m: Machine): void {
  if (m.operations-- <= 0) throw bad(m, `takes more than the ${MAX_OPERATIONS} operations that are run`);
}

/** Counts memory that values take. */
export function charge(m: Machine, bytes: number): void {
  m.memory -= bytes;
  if (m.memory < 0)
    throw bad(m, `describes more than the ${MAX_MEMORY / 2 ** 20} MB of values that are read`);
}

/** Counts memory that is free again. */
export function release(m: Machine, bytes: number): void {
  m.memory += bytes;
}

/** Counts the memory of `value`, and gives it. */
export function charged(m: Machine, value: PickleValue, bytes: number): PickleValue {
  charge(m, bytes);
  return value;
}

export function push(m: Machine, value: PickleValue): void {
  charge(m, COST.slot);
  m.stack.push(value);
}

export function pop(m: Machine): PickleValue {
  const value = m.stack.pop();
  if (value === undefined) throw bad(m, 'takes more from its stack than is there');
  release(m, COST.slot);
  return value;
}

export function top(m: Machine): PickleValue {
  const value = m.stack.at(-1);
  if (value === undefined) throw bad(m, 'takes more from its stack than is there');
  return value;
}

export function pushMark(m: Machine): void {
  if (m.below.length >= MAX_MARKS) throw bad(m, `is nested more than ${MAX_MARKS} deep`);
  charge(m, COST.mark);
  m.below.push(m.stack);
  m.stack = [];
}

/** What was pushed since the last mark; the stack is what it was before. */
export function popMark(m: Machine): PickleValue[] {
  const items = m.stack;
  const before = m.below.pop();
  if (before === undefined) throw bad(m, 'closes a mark that was never set');
  m.stack = before;
  release(m, COST.mark + COST.slot * items.length);
  return items;
}

/** Keeps the top of the stack under `index`; indices that are passed over cost as much as those that are used. */
export function keep(m: Machine, index: number): void {
  const value = top(m);
  if (index >= m.memo.length) {
    charge(m, COST.memo * (index + 1 - m.memo.length));
    while (m.memo.length < index) m.memo.push(undefined);
    m.memo.push(undefined);
  }
  if (m.memo[index] === undefined) m.kept++;
  m.memo[index] = value;
}

export function recall(m: Machine, index: number): PickleValue {
  const value = m.memo[index];
  if (value === undefined) throw bad(m, `recalls value ${index}, which it never kept`);
  return value;
}
