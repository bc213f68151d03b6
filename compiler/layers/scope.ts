// Where a layer is lowered: adds ops and parameters under the layer's path and the names of its parts.

import { invariant } from '../diagnostics.ts';
import type { OpGraphBuilder } from '../opgraph/build.ts';
import type { DType } from '../ops/op.ts';
import type { PRECISIONS, Precision } from '../precision.ts';
import { type ModuleNames, parameterName } from './naming.ts';
import type { Norm } from './norm.ts';
import type { ModelSizes, PartTensor, TensorName } from './part.ts';

/** What lowering knows of one layer. Values are ids of nodes. */
export interface Scope<P extends string = string> {
  readonly b: OpGraphBuilder;
  readonly dims: 1 | 2 | 3;
  /** The time embedding [B, hidden], which every layer of a block can read. */
  embedding(): number;
  /** An input of the model with one number a sample, [B], such as the labels `y`; each call declares it. */
  rowInput(name: string, dtype: DType): number;
  /** Path of the ops of a part; without one that of the layer itself. */
  path(part?: P): string;
  /** A parameter of a part as it stands in the checkpoint. */
  param(part: P, tensor: TensorName): number;
  norm(part: P, x: number, norm: Norm): number;
  linear(part: P, x: number): number;
  /** Linear layers of some parts at every position of a sequence, as one product: their results follow each other along channels. */
  positionwise(parts: readonly P[], x: number, path: string): number;
  /**
   * Convolution with padding (kernel - 1) / 2 where none is given, as the op has it; `dtype` (default: that of the torso's
   * weights) is that of its weights.
   */
  convolution(
    part: P,
    x: number,
    options?: {
      readonly stride?: readonly number[];
      readonly padding?: readonly number[] | undefined;
      readonly dtype?: DType;
    },
  ): number;
}

/** What all scopes of a graph share. */
export interface SharedScope {
  readonly b: OpGraphBuilder;
  /** What the torso's activations and weights are stored as. */
  readonly torso: (typeof PRECISIONS)[Precision];
  /** Null as long as there is none. */
  readonly embedding: number | null;
  rowInput(name: string, dtype: DType): number;
}

/** What is a module's own. */
export interface OwnScope<P extends string> {
  readonly model: ModelSizes;
  readonly names: ModuleNames<P>;
  readonly tensors: readonly PartTensor<P>[];
}

/** The scope of a module. */
export function createScope<P extends string>(shared: SharedScope, own: OwnScope<P>): Scope<P> {
  const { b, embedding, torso, rowInput } = shared;
  const { model, names, tensors } = own;
  const path = (part?: P): string =>
    part === undefined || names.parts[part] === '' ? names.path : `${names.path}.${names.parts[part]}`;
  const param = (part: P, tensor: TensorName): number => {
    const found = tensors.find((t) => t.part === part && t.tensor === tensor);
    invariant(found, `${names.path} has no ${tensor} of ${part}`);
    return b.add('param', [], { name: parameterName(names, found), shape: found.shape }, path(part));
  };
  return {
    b,
    dims: model.dims,
    embedding: () => {
      invariant(embedding !== null, `${names.path} reads a time embedding that is not there yet`);
      return embedding;
    },
    rowInput,
    path,
    param,
    norm: (part, x, { groups, eps }) =>
      b.add('group_norm', [x, param(part, 'weight'), param(part, 'bias')], { groups, eps }, path(part)),
    linear: (part, x) => b.add('linear', [x, param(part, 'weight'), param(part, 'bias')], {}, path(part)),
    positionwise(parts, x, path) {
      const joined = (values: readonly number[]) =>
        values.length === 1 ? values[0]! : b.add('param_concat', values, {}, path);
      const asKernel = (weight: number) =>
        b.add('reshape', [weight], { shape: [...b.typeOf(weight).shape, 1] }, path);
      const weight = joined(parts.map((part) => asKernel(param(part, 'weight'))));
      const bias = joined(parts.map((part) => param(part, 'bias')));
      const operands = [weight, bias].map((value) => castTo(b, value, torso.weights, path));
      return b.add('conv', [x, ...operands], { stride: [1], padding: [0] }, path);
    },
    convolution(part, x, { stride, padding, dtype = torso.weights } = {}) {
      const [weight, bias] = [param(part, 'weight'), param(part, 'bias')];
      const kernel = b.typeOf(weight).shape.slice(2);
      const operands = [x, castTo(b, weight, dtype, path(part)), castTo(b, bias, dtype, path(part))];
      const attrs = {
        stride: stride ?? kernel.map(() => 1),
        padding: padding ?? kernel.map((k) => (k - 1) / 2),
      };
      return b.add('conv', operands, attrs, path(part));
    },
  };
}

/** The value in an element type; itself where it has that already. */
export function castTo(b: OpGraphBuilder, value: number, dtype: DType, path: string): number {
  return b.typeOf(value).dtype === dtype ? value : b.add('cast', [value], { dtype }, path);
}
