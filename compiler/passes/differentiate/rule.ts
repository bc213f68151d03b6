// What the gradient of an op is: one rule an operand, from the cotangent of the op's result to what it adds to the
// operand's. The cotangent of a value v is the gradient, by v, of the number that is differentiated.

import type { NodeOf } from '../../opgraph/opgraph.ts';
import type { OpAttrs, OpName, TensorType } from '../../ops/op.ts';

/** Where a rule is applied: the op, its cotangent, and how the backward pass is written. */
export interface Site<N extends OpName> {
  readonly node: NodeOf<N>;
  /** Which operand of the op the rule is applied to. */
  readonly at: number;
  /** The cotangent of the op's result, of its type. */
  readonly g: number;
  /** Operand `i` of the op as a value to read: what is cheap to compute is computed again, not kept. */
  operand(i: number): number;
  /** The parameters that operand `i` is joined of; the operand itself where it is not joined. */
  joined(i: number): readonly number[];
  typeOf(id: number): TensorType;
  /** Appends an op to the backward pass. */
  add<M extends OpName>(op: M, inputs: readonly number[], attrs: OpAttrs[M]): number;
  /** What the rules of several operands of this op share: `make` is called by the first. */
  once(name: string, make: () => number): number;
}

/**
 * The summand of an operand's cotangent, of the operand's type; of a parameter that is read as float16 it is float32, as the
 * parameter is, for nothing but its sum is left to be computed.
 */
export type Vjp<N extends OpName> = (site: Site<N>) => number;

/** A rule, or why there is none. */
export type OperandRule<N extends OpName> = Vjp<N> | `none: ${string}`;

/** The rules of an op's operands in order; the last one holds for all that follow. */
export type OpRule<N extends OpName> = readonly OperandRule<N>[];

export const SECOND = 'none: no second derivatives are taken';

/** The cotangent itself: where an op adds its operand to something. */
export function same({ g }: { readonly g: number }): number {
  return g;
}

/** The sum of the cotangent over samples and space: the gradient by a bias, in float32. */
export function ofBias<N extends OpName>(site: Site<N>): number {
  return site.add('channel_sum', [site.g], {});
}

/** The sum of a value [B, C, ...space] over space, which is float32, as [B, C] of the type of `like`. */
export function sumOverSpace<N extends OpName>(site: Site<N>, value: number, like: number): number {
  const [batch, channels, ...space] = site.typeOf(value).shape;
  const wide = site.typeOf(value).dtype === 'f32' ? value : site.add('cast', [value], { dtype: 'f32' });
  const mean = site.add('avg_pool', [wide], { kernel: space });
  const sum = site.add('scale', [mean], { factor: space.reduce((n, d) => n * d, 1) });
  const flat = site.add('reshape', [sum], { shape: [batch!, channels!] });
  return castLike(site, flat, like);
}

/** `value` in the element type of `like`. */
export function castLike<N extends OpName>(site: Site<N>, value: number, like: number): number {
  const { dtype } = site.typeOf(like);
  return site.typeOf(value).dtype === dtype ? value : site.add('cast', [value], { dtype });
}
