// The value of a constant expression in a TypeScript file, read off its syntax and never executed: literals, arrays,
// objects, spreads, arithmetic, templates, and the `const`s of the same file.

import type { Expression, Node, ObjectLiteralExpression, SourceFile, VariableDeclaration } from 'ts-morph';
import type { Diagnostic, Position } from '../../../compiler/diagnostics.ts';
import { childPointer, type Json, type JsonText, MAX_DEPTH } from '../../../compiler/format/json.ts';
import type { RuleCode } from '../../../compiler/format/rules.ts';

type TsMorph = typeof import('ts-morph');

/** Values that one file may make: a graph has some thousands, and spreads of spreads would double without end. */
const MAX_VALUES = 50_000;
const TOO_MANY = `the file makes more than ${MAX_VALUES} values; a graph has some thousands`;
const TOO_DEEP = `values and expressions nest more than ${MAX_DEPTH} levels deep; a graph needs 7`;

/** Thrown at an expression that is no constant; never leaves this file. */
class Refused extends Error {}

/** What `undefined` is as a member: not there. */
const NOTHING = Symbol('undefined');
type Value = Json | typeof NOTHING;

/** Evaluates `root`. Never throws; every fault that can be passed is reported at its line. */
export function readConstant(tsMorph: TsMorph, source: SourceFile, root: Expression): JsonText {
  const { Node: Is, SyntaxKind: Kind } = tsMorph;
  const faults: Diagnostic[] = [];
  const values = new Map<string, Position>();
  const keys = new Map<string, Position>();
  /** The constants whose values are being read. */
  const open = new Set<VariableDeclaration>();
  /** The constants that the graph is made of. */
  const read = new Set<VariableDeclaration>();
  const constants = new Map(
    source
      .getVariableStatements()
      .filter((statement) => statement.getDeclarationKind() === tsMorph.VariableDeclarationKind.Const)
      .flatMap((statement) => statement.getDeclarations().map((one) => [one.getName(), one] as const)),
  );
  let made = 0;

  function report(code: RuleCode, pointer: string, node: Node, message: string): void {
    faults.push({ severity: 'error', code, pointer, message, position: positionOf(source, node) });
  }

  function stop(pointer: string, node: Node, message: string): never {
    report('G021', pointer, node, message);
    throw new Refused();
  }

  function refuse(pointer: string, node: Node, found: string, advice = 'write its value'): never {
    return stop(pointer, node, `found ${found}, which is no constant; ${advice}`);
  }

  /** A member or an element; where it is no constant the others are still read. */
  function passing(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  function evaluate(node: Expression, pointer: string, depth: number): Value {
    if (++made > MAX_VALUES) stop(pointer, node, TOO_MANY);
    if (depth > MAX_DEPTH) stop(pointer, node, TOO_DEEP);
    if (Is.isParenthesizedExpression(node) || Is.isAsExpression(node) || Is.isSatisfiesExpression(node)) {
      return evaluate(node.getExpression(), pointer, depth + 1);
    }
    values.set(pointer, positionOf(source, node));
    if (Is.isStringLiteral(node) || Is.isNoSubstitutionTemplateLiteral(node)) return node.getLiteralValue();
    if (Is.isNumericLiteral(node)) return finite(node.getLiteralValue(), node, pointer);
    if (Is.isTrueLiteral(node) || Is.isFalseLiteral(node)) return node.getLiteralValue();
    if (Is.isNullLiteral(node)) return null;
    if (Is.isArrayLiteralExpression(node)) return readArray(node.getElements(), pointer, depth);
    if (Is.isObjectLiteralExpression(node)) return readObject(node, pointer, depth);
    if (Is.isIdentifier(node)) return readName(node.getText(), node, pointer, depth);
    if (Is.isPrefixUnaryExpression(node)) {
      const token = node.getOperatorToken();
      const operand = evaluate(node.getOperand(), pointer, depth + 1);
      if (token === Kind.MinusToken && typeof operand === 'number') return 0 - operand;
      if (token === Kind.PlusToken && typeof operand === 'number') return operand;
      refuse(pointer, node, clip(node));
    }
    if (Is.isTemplateExpression(node)) {
      const parts = node.getTemplateSpans().map((span) => {
        const value = evaluate(span.getExpression(), pointer, depth + 1);
        if (typeof value !== 'string' && typeof value !== 'number') refuse(pointer, span, clip(span));
        return `${value}${span.getLiteral().getLiteralText()}`;
      });
      return node.getHead().getLiteralText() + parts.join('');
    }
    if (Is.isBinaryExpression(node)) {
      const left = evaluate(node.getLeft(), pointer, depth + 1);
      const right = evaluate(node.getRight(), pointer, depth + 1);
      const operator = node.getOperatorToken().getText();
      const result = combine(operator, left, right);
      values.set(pointer, positionOf(source, node));
      if (result === undefined) refuse(pointer, node, `the operator ${operator}`);
      return typeof result === 'number' ? finite(result, node, pointer) : result;
    }
    if (Is.isPropertyAccessExpression(node)) {
      return member(node.getExpression(), node.getName(), node, pointer, depth);
    }
    if (Is.isElementAccessExpression(node)) {
      const index = node.getArgumentExpression();
      const key = index && evaluate(index, pointer, depth + 1);
      if (typeof key !== 'string' && typeof key !== 'number') refuse(pointer, node, clip(node));
      return member(node.getExpression(), String(key), node, pointer, depth);
    }
    refuse(pointer, node, Is.isCallExpression(node) ? `the call ${clip(node)}` : clip(node));
  }

  function finite(value: number, node: Node, pointer: string): number {
    if (!Number.isFinite(value))
      report('G005', pointer, node, `${clip(node)} is not finite in double precision`);
    return value === 0 ? 0 : value;
  }

  function readArray(elements: readonly Expression[], pointer: string, depth: number): Json {
    const items: Json[] = [];
    for (const element of elements) {
      passing(() => {
        if (Is.isSpreadElement(element)) {
          const spread = evaluate(element.getExpression(), pointer, depth + 1);
          if (!Array.isArray(spread)) refuse(pointer, element, `${clip(element)} of no list`);
          made += spread.length;
          if (made > MAX_VALUES) stop(pointer, element, TOO_MANY);
          for (const item of spread) items.push(item);
          return;
        }
        const at = childPointer(pointer, items.length);
        const value = evaluate(element, at, depth + 1);
        if (value === NOTHING) refuse(at, element, 'undefined');
        items.push(value);
      });
    }
    return items;
  }

  function readObject(node: ObjectLiteralExpression, pointer: string, depth: number): Json {
    const members: Record<string, Json> = Object.create(null);
    const own = new Map<string, Position>();
    const put = (key: string, at: Node, value: Value): void => {
      const place = childPointer(pointer, key);
      const first = own.get(key);
      if (key in Object.prototype) {
        report('G003', place, at, `the key ${JSON.stringify(key)} is inherited by every object; remove it`);
        return;
      }
      if (first)
        report('G002', place, at, `this key stands a second time, after line ${first.line}; keep one`);
      own.set(key, positionOf(source, at));
      keys.set(place, positionOf(source, at));
      if (value === NOTHING) delete members[key];
      else members[key] = value;
    };
    for (const property of node.getProperties()) {
      passing(() => {
        if (Is.isSpreadAssignment(property)) {
          const spread = evaluate(property.getExpression(), pointer, depth + 1);
          if (!isObject(spread)) refuse(pointer, property, `${clip(property)} of no object`);
          Object.assign(members, spread);
          return;
        }
        const name = property.getNameNode();
        const plain = Is.isIdentifier(name) || Is.isStringLiteral(name) || Is.isNumericLiteral(name);
        if (!plain) refuse(pointer, property, `the key ${clip(name)}`, 'write the key itself');
        const key = Is.isIdentifier(name) ? name.getText() : String(name.getLiteralValue());
        const at = childPointer(pointer, key);
        const value = Is.isPropertyAssignment(property)
          ? property.getInitializer()
          : Is.isShorthandPropertyAssignment(property)
            ? property.getNameNode()
            : undefined;
        if (!value) refuse(at, property, clip(property));
        put(key, name, evaluate(value, at, depth + 1));
      });
    }
    values.set(pointer, positionOf(source, node));
    return members;
  }

  function readName(name: string, node: Node, pointer: string, depth: number): Value {
    if (name === 'undefined') return NOTHING;
    const declaration = constants.get(name);
    const initializer = declaration?.getInitializer();
    if (!declaration || !initializer) {
      refuse(
        pointer,
        node,
        name,
        'only literals and the consts of this file are read, and nothing is executed',
      );
    }
    if (open.has(declaration)) refuse(pointer, node, `${name}, which is made of itself`);
    open.add(declaration);
    read.add(declaration);
    try {
      return evaluate(initializer, pointer, depth + 1);
    } finally {
      open.delete(declaration);
    }
  }

  function member(owner: Expression, key: string, node: Node, pointer: string, depth: number): Value {
    const value = evaluate(owner, pointer, depth + 1);
    const own = typeof value === 'object' && value !== null && Object.hasOwn(value, key) && key !== 'length';
    if (!own) refuse(pointer, node, `${clip(node)}, which is not there`);
    values.set(pointer, positionOf(source, node));
    return (value as Readonly<Record<string, Json>>)[key]!;
  }

  let value: Value | undefined;
  passing(() => {
    value = evaluate(root, '', 0);
  });
  if (value === NOTHING) passing(() => refuse('', root, 'undefined'));
  const places = { values: new Map(values), keys: new Map(keys) };
  // A const that nothing reads is held to the same: a call in it would never be made.
  for (const declaration of constants.values()) {
    const initializer = declaration.getInitializer();
    if (!read.has(declaration) && initializer)
      passing(() => void readName(declaration.getName(), initializer, '', 0));
  }
  return { value: value === NOTHING ? undefined : value, faults, ...places };
}

function combine(operator: string, left: Value, right: Value): number | string | undefined {
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '**':
      return left ** right;
  }
  return undefined;
}

function isObject(value: Value): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where a node begins in its file. */
export function positionOf(source: SourceFile, node: Node): Position {
  return source.getLineAndColumnAtPos(node.getStart());
}

/** A piece of the file on one line, shortened for a message. */
function clip(node: Node): string {
  const text = node.getText().replace(/\s+/g, ' ');
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
