// Reads JSON text strictly (RFC 8259), keeping where every value begins and reporting every fault it can pass.

import type { Diagnostic, Position } from '../diagnostics.ts';
import type { RuleCode } from './rules.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A text read as JSON. `value` is undefined where a fault could not be passed. */
export interface JsonText {
  readonly value: Json | undefined;
  readonly faults: readonly Diagnostic[];
  /** Where the value at a JSON pointer begins. */
  readonly values: ReadonlyMap<string, Position>;
  /** Where the key of an object's member at a JSON pointer begins. */
  readonly keys: ReadonlyMap<string, Position>;
}

/** Levels of arrays and objects a text may nest; deeper ones would overflow the stack of recursive checks. */
export const MAX_DEPTH = 64;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[^\s,:{}[\]"]+/y;
const LITERALS = new Map<string, Json>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Thrown at a fault after which nothing more can be read; never leaves this file. */
class Stop extends Error {}

/** The pointer of a member or an element (RFC 6901). */
export function childPointer(parent: string, key: string | number): string {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Reads `text`. Never throws; of a repeated key the last value counts, as in JSON.parse. */
export function readJson(text: string): JsonText {
  const faults: Diagnostic[] = [];
  const values = new Map<string, Position>();
  const keys = new Map<string, Position>();
  const lines = lineStarts(text);
  let at = 0;

  function report(code: RuleCode, pointer: string, offset: number, message: string): void {
    faults.push({ severity: 'error', code, pointer, message, position: positionOf(lines, offset) });
  }

  function stop(pointer: string, offset: number, message: string): never {
    report('G001', pointer, offset, message);
    throw new Stop();
  }

  function skipSpace(pointer: string): void {
    for (;;) {
      while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++;
      if (!text.startsWith('//', at) && !text.startsWith('/*', at)) return;
      report('G001', pointer, at, 'JSON has no comments; remove this one');
      const block = text.startsWith('/*', at);
      const end = text.indexOf(block ? '*/' : '\n', at + 2);
      at = end < 0 ? text.length : end + (block ? 2 : 1);
    }
  }

  function readValue(pointer: string, depth: number): Json {
    skipSpace(pointer);
    values.set(pointer, positionOf(lines, at));
    const c = text[at];
    if (c === '{' || c === '[') {
      if (depth >= MAX_DEPTH) {
        report('G004', pointer, at, `values nest more than ${MAX_DEPTH} levels deep; a graph needs 7`);
        throw new Stop();
      }
      return c === '{' ? readObject(pointer, depth + 1) : readArray(pointer, depth + 1);
    }
    if (c === '"') return readString(pointer);
    return readScalar(pointer);
  }

  function readScalar(pointer: string): Json {
    const start = at;
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0];
    if (word === undefined) stop(pointer, at, `found ${foundAt(text, at)}, expected a value`);
    at += word.length;
    const literal = LITERALS.get(word);
    if (literal !== undefined) return literal;
    NUMBER.lastIndex = 0;
    if (NUMBER.exec(word)?.[0] !== word) {
      const quote = /^['\u2018\u201c]/.test(word) ? '; strings stand in double quotes' : '';
      stop(pointer, start, `found ${clip(word)}, expected a value${quote}`);
    }
    const number = Number(word);
    if (!Number.isFinite(number)) {
      report('G005', pointer, start, `found ${clip(word)}, which is not finite in double precision`);
    }
    return number === 0 ? 0 : number;
  }

  function readString(pointer: string): string {
    const start = at;
    for (at++; text[at] !== '"'; at++) {
      const code = text.charCodeAt(at);
      if (at >= text.length) stop(pointer, start, 'this string is not closed; add a double quote');
      if (code < 0x20) {
        const name = code === 10 || code === 13 ? 'a line break' : `the control character ${code}`;
        stop(pointer, at, `found ${name} in a string; close the string or write \\n or \\u00xx`);
      }
      if (code === 0x5c && !/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(text.slice(at, at + 6))) {
        stop(pointer, at, `found the escape ${clip(text.slice(at, at + 2))}, which JSON does not have`);
      }
      if (code === 0x5c) at++;
    }
    at++;
    return JSON.parse(text.slice(start, at)) as string;
  }

  function readArray(pointer: string, depth: number): Json {
    const items: Json[] = [];
    at++;
    for (skipSpace(pointer); text[at] !== ']'; skipSpace(pointer)) {
      items.push(readValue(childPointer(pointer, items.length), depth));
      readComma(pointer, ']');
    }
    at++;
    return items;
  }

  function readObject(pointer: string, depth: number): Json {
    const members: Record<string, Json> = Object.create(null);
    at++;
    for (skipSpace(pointer); text[at] !== '}'; skipSpace(pointer)) {
      const start = at;
      if (text[at] !== '"') stop(pointer, at, `found ${foundAt(text, at)}, expected a key in double quotes`);
      const key = readString(pointer);
      const member = childPointer(pointer, key);
      if (key in Object.prototype) {
        report('G003', member, start, `the key ${clip(key)} is inherited by every object; remove it`);
      } else if (key in members) {
        const first = keys.get(member)!;
        report('G002', member, start, `this key stands a second time, after line ${first.line}; keep one`);
      }
      keys.set(member, positionOf(lines, start));
      skipSpace(member);
      if (text[at] !== ':') stop(member, at, `found ${foundAt(text, at)}, expected a colon after the key`);
      at++;
      const value = readValue(member, depth);
      if (!(key in Object.prototype)) members[key] = value;
      readComma(pointer, '}');
    }
    at++;
    return members;
  }

  /** Reads what stands between two items: a comma, or nothing before the closing bracket. */
  function readComma(pointer: string, close: ']' | '}'): void {
    skipSpace(pointer);
    if (text[at] === close) return;
    if (text[at] !== ',') stop(pointer, at, `found ${foundAt(text, at)}, expected a comma or ${close}`);
    const comma = at++;
    skipSpace(pointer);
    if (text[at] === close) report('G001', pointer, comma, `found a comma before ${close}; remove it`);
  }

  try {
    if (text.startsWith('\ufeff')) {
      report('G006', '', 0, 'the text begins with a byte order mark; save it as UTF-8 without one');
      at = 1;
    }
    const value = readValue('', 0);
    skipSpace('');
    if (at < text.length) stop('', at, `found ${foundAt(text, at)} after the end of the value; remove it`);
    return { value, faults, values, keys };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { value: undefined, faults, values, keys };
  }
}

function foundAt(text: string, at: number): string {
  return at >= text.length ? 'the end of the text' : clip(String.fromCodePoint(text.codePointAt(at)!));
}

/** A piece of the text, quoted and shortened for a message. */
function clip(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

function positionOf(lines: readonly number[], offset: number): Position {
  let low = 0;
  for (let high = lines.length - 1; low < high; ) {
    const mid = (low + high + 1) >> 1;
    if (lines[mid]! <= offset) low = mid;
    else high = mid - 1;
  }
  return { line: low + 1, column: offset - lines[low]! + 1 };
}

/** A value on one line, with spaces after commas and colons and inside braces. */
export function printInline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printInline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${printInline(one)}`);
  return `{ ${members.join(', ')} }`;
}
