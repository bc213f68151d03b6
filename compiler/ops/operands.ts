// Checks of operands that the shape rules share: how many there are, and how they are shown in a message.

import { InternalError } from '../diagnostics.ts';
import type { OpName, Shape, TensorType } from './op.ts';

/** `f32[1,128,32,32]`: how printers and messages show a type. */
export function formatType(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(',')}]`;
}

/** Throws InternalError that names the op unless `condition` holds. */
export function demand(condition: boolean, op: OpName, message: () => string): asserts condition {
  if (!condition) throw new InternalError(`${op}: ${message()}`);
}

function count(op: OpName, found: number, wanted: number): void {
  demand(found === wanted, op, () => `takes ${wanted} operand${wanted === 1 ? '' : 's'}, got ${found}`);
}

/** The operands of an op that takes none. */
export function nullary<T>(op: OpName, inputs: readonly T[]): void {
  count(op, inputs.length, 0);
}

/** The operand of an op that takes one. */
export function unary<T>(op: OpName, inputs: readonly T[]): readonly [T] {
  count(op, inputs.length, 1);
  return [inputs[0]!];
}

/** The operands of an op that takes two. */
export function binary<T>(op: OpName, inputs: readonly T[]): readonly [T, T] {
  count(op, inputs.length, 2);
  return [inputs[0]!, inputs[1]!];
}

/** The operands of an op that takes three. */
export function ternary<T>(op: OpName, inputs: readonly T[]): readonly [T, T, T] {
  count(op, inputs.length, 3);
  return [inputs[0]!, inputs[1]!, inputs[2]!];
}

/** The operands of a product: x, its weight, and its bias where it has one. */
export function product<T>(op: OpName, inputs: readonly T[]): readonly [T, T, T | undefined] {
  const [x, weight, bias, ...more] = inputs;
  demand(
    x !== undefined && weight !== undefined && more.length === 0,
    op,
    () => `takes 2 operands and maybe a bias, got ${inputs.length}`,
  );
  return [x, weight, bias];
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** Demands a float value: activations and weights, not labels. */
export function demandFloat(op: OpName, what: string, type: TensorType): void {
  demand(type.dtype !== 'u32', op, () => `${what} must be a float value, got ${formatType(type)}`);
}

/** Demands an activation [B, C, ...space] with 1 to 3 spatial dimensions; returns its parts. */
export function activation(op: OpName, what: string, type: TensorType): Activation {
  demandFloat(op, what, type);
  demand(
    type.shape.length >= 3 && type.shape.length <= 5,
    op,
    () => `${what} must be [batch, channels, ...space] with 1 to 3 spatial sizes, got ${formatType(type)}`,
  );
  const [batch, channels, ...space] = type.shape;
  return { batch: batch!, channels: channels!, space };
}

export interface Activation {
  readonly batch: number;
  readonly channels: number;
  readonly space: Shape;
}

/** Demands a parameter of exactly this shape. */
export function demandShape(op: OpName, what: string, type: TensorType, shape: Shape): void {
  demandFloat(op, what, type);
  demand(
    sameShape(type.shape, shape),
    op,
    () => `${what} must be [${shape.join(',')}], got ${formatType(type)}`,
  );
}

/** Demands one whole number for each spatial dimension, of at least `least` where that is given. */
export function demandPerDimension(
  op: OpName,
  what: string,
  values: Shape,
  space: Shape,
  least?: number,
): void {
  const bound = least === undefined ? '' : ` of at least ${least}`;
  demand(
    values.length === space.length &&
      values.every((v) => Number.isInteger(v) && (least === undefined || v >= least)),
    op,
    () => `${what} must be ${space.length} whole numbers${bound}, got [${values.join(', ')}]`,
  );
}
