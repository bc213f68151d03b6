// Reads the printed form of an OpGraph back: the input of the tests of passes.

import { InternalError } from '../diagnostics.ts';
import { isOpName } from '../ops/index.ts';
import type { OpAttrs, OpName, Shape, TensorType } from '../ops/op.ts';
import { type AttrKind, type AttrValue, attrKinds, isDType } from './attrs.ts';
import { inferType } from './build.ts';
import type { OpGraph, OpGraphOutput, OpNode } from './opgraph.ts';

/**
 * The graph that `printOpGraph` would print as `text`. Indentation, empty lines and lines that begin with `#` are
 * skipped. A node may leave out its type, which is then inferred; a written type is taken as it stands, and it is the
 * verifier that holds it to the op. Throws InternalError with the line where the text is malformed.
 */
export function parseOpGraph(text: string): OpGraph {
  const nodes: OpNode[] = [];
  let outputs: readonly OpGraphOutput[] | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const scanner = createScanner(line.trim(), index + 1);
    if (scanner.done() || scanner.accept(/#.*/y) !== null) continue;
    if (outputs !== undefined) scanner.fail('nothing more after `return`');
    if (scanner.accept(/return\b/y) !== null) outputs = readOutputs(scanner);
    else nodes.push(readNode(scanner, nodes));
    scanner.end();
  }
  if (outputs === undefined) throw new InternalError('parse: the text has no `return` line');
  return { nodes, outputs };
}

/** Reads tokens of one line from left to right; spaces between tokens do not count. */
interface Scanner {
  /** The token that matches the sticky pattern here, or null; its first group where it has one. */
  accept(pattern: RegExp): string | null;
  /** The same, but a fault where it does not match. */
  expect(pattern: RegExp, what: string): string;
  done(): boolean;
  end(): void;
  fail(expected: string): never;
}

function createScanner(line: string, number: number): Scanner {
  let at = 0;
  const skipSpaces = () => {
    while (line[at] === ' ') at++;
  };
  const fail = (expected: string): never => {
    const found = at < line.length ? `"${line.slice(at, at + 24)}"` : 'the end of the line';
    throw new InternalError(`parse: line ${number}, column ${at + 1}: expected ${expected}, found ${found}`);
  };
  const accept = (pattern: RegExp): string | null => {
    skipSpaces();
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match === null) return null;
    at += match[0].length;
    return match[1] ?? match[0];
  };
  return {
    accept,
    expect: (pattern, what) => accept(pattern) ?? fail(what),
    done: () => at >= line.length,
    end: () => {
      skipSpaces();
      if (at < line.length) fail('the end of the line');
    },
    fail,
  };
}

function readNode(scanner: Scanner, nodes: readonly OpNode[]): OpNode {
  const id = nodes.length;
  scanner.expect(new RegExp(`%${id}(?!\\d)`, 'y'), `%${id}`);
  scanner.expect(/=/y, '"="');
  const op = scanner.expect(/[a-z_]\w*/y, 'an op');
  if (!isOpName(op)) scanner.fail(`an op before this, not "${op}",`);
  const inputs = readList(scanner, /\(/y, /\)/y, () => readValue(scanner));
  const attrs = readAttrs(scanner, op);
  const written = scanner.accept(/:/y) === null ? undefined : readType(scanner);
  const path = scanner.accept(/# (.*)/y) ?? '';
  const type = written ?? inferType(id, op, operandTypes(scanner, nodes, inputs), attrs, path);
  return { op, inputs, attrs, type, path } as OpNode;
}

function operandTypes(scanner: Scanner, nodes: readonly OpNode[], inputs: readonly number[]): TensorType[] {
  return inputs.map((i) => nodes[i]?.type ?? scanner.fail(`an operand before %${nodes.length}, not %${i},`));
}

function readAttrs<N extends OpName>(scanner: Scanner, op: N): OpAttrs[N] {
  const attrs: Record<string, AttrValue> = {};
  const kinds = attrKinds(op);
  if (kinds.length > 0) scanner.expect(/\{/y, '"{"');
  kinds.forEach(([name, kind], i) => {
    if (i > 0) scanner.expect(/,/y, '","');
    scanner.expect(new RegExp(`${name}=`, 'y'), `${name}=`);
    attrs[name] = readAttr(scanner, kind);
  });
  if (kinds.length > 0) scanner.expect(/\}/y, '"}"');
  return attrs as unknown as OpAttrs[N];
}

function readAttr(scanner: Scanner, kind: AttrKind): AttrValue {
  switch (kind) {
    case 'number':
      return readNumber(scanner);
    case 'shape':
    case 'offsets':
      return readShape(scanner);
    case 'string':
      return JSON.parse(scanner.expect(/("(?:[^"\\]|\\.)*")/y, 'a quoted string')) as string;
    case 'dtype':
      return readDType(scanner);
    case 'type':
      return readType(scanner);
  }
}

function readNumber(scanner: Scanner): number {
  return Number(scanner.expect(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/y, 'a number'));
}

function readShape(scanner: Scanner): Shape {
  return readList(scanner, /\[/y, /\]/y, () => readNumber(scanner));
}

function readDType(scanner: Scanner): TensorType['dtype'] {
  const dtype = scanner.expect(/\w+/y, 'an element type');
  return isDType(dtype) ? dtype : scanner.fail(`f32, f16 or u32 before this, not "${dtype}",`);
}

function readType(scanner: Scanner): TensorType {
  return { dtype: readDType(scanner), shape: readShape(scanner) };
}

function readValue(scanner: Scanner): number {
  return Number(scanner.expect(/%(\d+)/y, 'a value such as %0'));
}

function readOutputs(scanner: Scanner): OpGraphOutput[] {
  const outputs: OpGraphOutput[] = [];
  do {
    const name = scanner.expect(/([\w.]+)=/y, 'an output such as output=%0');
    outputs.push({ name, value: readValue(scanner) });
  } while (scanner.accept(/,/y) !== null);
  return outputs;
}

function readList<T>(scanner: Scanner, open: RegExp, close: RegExp, item: () => T): T[] {
  const items: T[] = [];
  scanner.expect(open, `"${open.source.replace('\\', '')}"`);
  if (scanner.accept(close) !== null) return items;
  do items.push(item());
  while (scanner.accept(/,/y) !== null);
  scanner.expect(close, `"," or "${close.source.replace('\\', '')}"`);
  return items;
}
