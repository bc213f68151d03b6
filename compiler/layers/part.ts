// Parameters by the part of a layer that they belong to, before a naming gives them the names of a checkpoint.

import type { Shape } from '../ops/op.ts';

/** What a checkpoint calls a tensor of a part. */
export type TensorName = 'weight' | 'bias' | 'positional_embedding';

/** One parameter of a part. */
export interface PartTensor<P extends string = string> {
  readonly part: P;
  readonly tensor: TensorName;
  readonly shape: Shape;
}

/** Name and shape of one parameter in a checkpoint. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
}

/** What the parameters of a layer depend on beside the layer. */
export interface ModelSizes {
  readonly dims: 1 | 2 | 3;
  /** Width of the time embedding that layers read. */
  readonly hidden: number;
}

/** Shape of a checkpoint's tensor, undefined where there is none. */
export type ReadShape<P extends string> = (part: P, tensor: 'weight' | 'bias') => Shape | undefined;

/** A weight, and a bias as long as the weight's first axis. Linear layers and 1x1 products are [out, in, ...kernel]. */
export function affine<P extends string>(part: P, shape: Shape): readonly PartTensor<P>[] {
  return [
    { part, tensor: 'weight', shape },
    { part, tensor: 'bias', shape: [shape[0]!] },
  ];
}

/** A convolution's weight [out, in, ...kernel] and bias [out]. */
export function convolution<P extends string>(
  part: P,
  from: number,
  to: number,
  kernel: Shape,
): readonly PartTensor<P>[] {
  return affine(part, [to, from, ...kernel]);
}
