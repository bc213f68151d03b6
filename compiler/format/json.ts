// Reads JSON text strictly (RFC 8259), keeping where every value begins and reporting every fault it can pass.

import type { Diagnostic, Position } from '../diagnostics.ts';
import type { RuleCode } from './rules.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Where things of a text begin, by JSON pointer. */
export interface Places {
  get(pointer: string): Position | undefined;
}

/** A text read as JSON. `value` is undefined where a fault could not be passed. */
export interface JsonText {
  readonly value: Json | undefined;
  readonly faults: readonly Diagnostic[];
  /** Where the value at a JSON pointer begins. */
  readonly values: Places;
  /** Where the key of an object's member at a JSON pointer begins. */
  readonly keys: Places;
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

/** A value of the text, in the tree that it is a part of: pointers are made where one is needed. */
interface Place {
  readonly parent: Place | null;
  readonly key: string | number;
  /** Offset of its key in an object; of the value itself elsewhere. */
  readonly keyAt: number;
  at: number;
  /** Members of an object, elements of an array. */
  children: Map<string, Place> | Place[] | null;
}

/** Letters of a key that a message shows: a text of long keys within each other would have pointers without end. */
const SHOWN_KEY = 200;

function pointerTo(place: Place): string {
  const keys: string[] = [];
  for (let at: Place | null = place; at?.parent; at = at.parent) {
    const key = String(at.key);
    keys.push(key.length > SHOWN_KEY ? `${key.slice(0, SHOWN_KEY)}…` : key);
  }
  return keys.reverse().reduce(childPointer, '');
}

/** The place that a pointer leads to. */
function follow(root: Place, pointer: string): Place | undefined {
  let place: Place | undefined = root;
  for (const part of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const children: Place['children'] = place?.children ?? null;
    place = Array.isArray(children) ? children[Number(key)] : children?.get(key);
  }
  return place;
}

/** Reads `text`. Never throws; of a repeated key the last value counts, as in JSON.parse. */
export function readJson(text: string): JsonText {
  const faults: Diagnostic[] = [];
  const lines = lineStarts(text);
  const root: Place = { parent: null, key: '', keyAt: 0, at: 0, children: null };
  const values: Places = { get: (pointer) => located(follow(root, pointer), 'at') };
  const keys: Places = {
    get: (pointer) => (pointer === '' ? undefined : located(follow(root, pointer), 'keyAt')),
  };
  let at = 0;

  function located(place: Place | undefined, which: 'at' | 'keyAt'): Position | undefined {
    return place === undefined ? undefined : positionOf(lines, place[which]);
  }

  function report(code: RuleCode, place: Place, offset: number, message: string): void {
    const position = positionOf(lines, offset);
    faults.push({ severity: 'error', code, pointer: pointerTo(place), message, position });
  }

  function stop(place: Place, offset: number, message: string): never {
    report('G001', place, offset, message);
    throw new Stop();
  }

  function skipSpace(place: Place): void {
    for (;;) {
      while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++;
      if (!text.startsWith('//', at) && !text.startsWith('/*', at)) return;
      report('G001', place, at, 'JSON has no comments; remove this one');
      const block = text.startsWith('/*', at);
      const end = text.indexOf(block ? '*/' : '\n', at + 2);
      at = end < 0 ? text.length : end + (block ? 2 : 1);
    }
  }

  function readValue(place: Place, depth: number): Json {
    skipSpace(place);
    place.at = at;
    const c = text[at];
    if (c === '{' || c === '[') {
      if (depth >= MAX_DEPTH) {
        report('G004', place, at, `values nest more than ${MAX_DEPTH} levels deep; a graph needs 7`);
        throw new Stop();
      }
      return c === '{' ? readObject(place, depth + 1) : readArray(place, depth + 1);
    }
    if (c === '"') return readString(place);
    return readScalar(place);
  }

  function readScalar(place: Place): Json {
    const start = at;
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0];
    if (word === undefined) stop(place, at, `found ${foundAt(text, at)}, expected a value`);
    at += word.length;
    const literal = LITERALS.get(word);
    if (literal !== undefined) return literal;
    NUMBER.lastIndex = 0;
    if (NUMBER.exec(word)?.[0] !== word) {
      const quote = /^['\u2018\u201c]/.test(word) ? '; strings stand in double quotes' : '';
      stop(place, start, `found ${clip(word)}, expected a value${quote}`);
    }
    const number = Number(word);
    if (!Number.isFinite(number)) {
      report('G005', place, start, `found ${clip(word)}, which is not finite in double precision`);
    }
    return number === 0 ? 0 : number;
  }

  function readString(place: Place): string {
    const start = at;
    for (at++; text[at] !== '"'; at++) {
      const code = text.charCodeAt(at);
      if (at >= text.length) stop(place, start, 'this string is not closed; add a double quote');
      if (code < 0x20) {
        const name = code === 10 || code === 13 ? 'a line break' : `the control character ${code}`;
        stop(place, at, `found ${name} in a string; close the string or write \\n or \\u00xx`);
      }
      if (code === 0x5c && !/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(text.slice(at, at + 6))) {
        stop(place, at, `found the escape ${clip(text.slice(at, at + 2))}, which JSON does not have`);
      }
      if (code === 0x5c) at++;
    }
    at++;
    return JSON.parse(text.slice(start, at)) as string;
  }

  function readArray(place: Place, depth: number): Json {
    const items: Json[] = [];
    const children: Place[] = [];
    place.children = children;
    at++;
    for (skipSpace(place); text[at] !== ']'; skipSpace(place)) {
      const item: Place = { parent: place, key: items.length, keyAt: at, at, children: null };
      children.push(item);
      items.push(readValue(item, depth));
      readComma(place, ']');
    }
    at++;
    return items;
  }

  function readObject(place: Place, depth: number): Json {
    const members: Record<string, Json> = Object.create(null);
    const children = new Map<string, Place>();
    place.children = children;
    at++;
    for (skipSpace(place); text[at] !== '}'; skipSpace(place)) {
      const start = at;
      if (text[at] !== '"') stop(place, at, `found ${foundAt(text, at)}, expected a key in double quotes`);
      const key = readString(place);
      const member: Place = { parent: place, key, keyAt: start, at: start, children: null };
      if (key in Object.prototype) {
        report('G003', member, start, `the key ${clip(key)} is inherited by every object; remove it`);
      } else if (key in members) {
        const first = positionOf(lines, children.get(key)!.keyAt);
        report('G002', member, start, `this key stands a second time, after line ${first.line}; keep one`);
      }
      children.set(key, member);
      skipSpace(member);
      if (text[at] !== ':') stop(member, at, `found ${foundAt(text, at)}, expected a colon after the key`);
      at++;
      const value = readValue(member, depth);
      if (!(key in Object.prototype)) members[key] = value;
      readComma(place, '}');
    }
    at++;
    return members;
  }

  /** Reads what stands between two items: a comma, or nothing before the closing bracket. */
  function readComma(place: Place, close: ']' | '}'): void {
    skipSpace(place);
    if (text[at] === close) return;
    if (text[at] !== ',') stop(place, at, `found ${foundAt(text, at)}, expected a comma or ${close}`);
    const comma = at++;
    skipSpace(place);
    if (text[at] === close) report('G001', place, comma, `found a comma before ${close}; remove it`);
  }

  try {
    if (text.startsWith('\ufeff')) {
      report('G006', root, 0, 'the text begins with a byte order mark; save it as UTF-8 without one');
      at = 1;
    }
    const value = readValue(root, 0);
    skipSpace(root);
    if (at < text.length) stop(root, at, `found ${foundAt(text, at)} after the end of the value; remove it`);
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
