// The attributes of every op as data: what the printer writes, the parser reads and the verifier checks.

import { ofActivations } from '../ops/activations.ts';
import type { DType, OpAttrs, OpName, Shape, TensorType } from '../ops/op.ts';
import { formatType } from '../ops/operands.ts';

/** The types an attribute can have, by name. */
interface KindTypes {
  readonly number: number;
  readonly shape: Shape;
  /** Places that may lie in front of the first one. */
  readonly offsets: Shape;
  readonly string: string;
  readonly dtype: DType;
  readonly type: TensorType;
}

export type AttrKind = keyof KindTypes;
export type AttrValue = KindTypes[AttrKind];

/** The kinds whose values are of type T. */
type KindOf<T> = { [K in AttrKind]: T extends KindTypes[K] ? K : never }[AttrKind];

/** Kind of each attribute of each op, in the order they are printed. */
export const ATTR_KINDS = {
  input: { name: 'string', type: 'type' },
  param: { name: 'string', shape: 'shape' },
  timestep_embedding: { dim: 'number', max_period: 'number', order: 'string', shift: 'number' },
  linear: {},
  embedding: {},
  embedding_gradient: { rows: 'number' },
  ...ofActivations(() => ({})),
  add: {},
  multiply: {},
  scale: { factor: 'number' },
  rescale: { factor: 'number', offset: 'number' },
  activation_gradient: { of: 'string' },
  channel_add: {},
  film: {},
  film_gradient: {},
  scale_shift_gradient: {},
  channel_sum: {},
  batch_sum: {},
  position_add: {},
  dropout: { p: 'number' },
  dropout_mask: { p: 'number', block: 'number', size: 'shape' },
  apply_mask: { factor: 'number' },
  concat: {},
  slice: { start: 'number', end: 'number' },
  window: { start: 'offsets', size: 'shape' },
  param_concat: {},
  rows: { start: 'number', end: 'number' },
  conv: { stride: 'shape', padding: 'shape' },
  conv_transpose: { stride: 'shape', padding: 'shape', output_padding: 'offsets' },
  conv_weight_gradient: { stride: 'shape', padding: 'shape', kernel: 'shape' },
  group_norm: { groups: 'number', eps: 'number' },
  group_norm_gradient: { groups: 'number', eps: 'number' },
  group_norm_sums: { groups: 'number', eps: 'number' },
  avg_pool: { kernel: 'shape' },
  upsample_nearest: { factor: 'shape' },
  upsample_linear: { size: 'shape' },
  attention: { heads: 'number', order: 'string' },
  attention_gradient: { heads: 'number', order: 'string' },
  log_softmax_gradient: {},
  mix: { first: 'number', second: 'number' },
  cross_entropy: {},
  cross_entropy_gradient: {},
  top_k: { k: 'number' },
  mse: {},
  mse_gradient: {},
  variational_bound: { variance: 'string', by: 'string' },
  variational_bound_gradient: { variance: 'string', by: 'string' },
  reshape: { shape: 'shape' },
  cast: { dtype: 'dtype' },
} as const satisfies {
  readonly [N in OpName]: { readonly [K in keyof OpAttrs[N]]: KindOf<OpAttrs[N][K]> };
};

/** Name and kind of the attributes of `op`. */
export function attrKinds(op: OpName): readonly (readonly [name: string, kind: AttrKind])[] {
  return Object.entries(ATTR_KINDS[op]);
}

/** The text of an attribute's value: `[1, 1]`, `0.00001`, `"out.2.weight"`, `f16`, `f32[1,3,32,32]`. */
export function formatAttr(kind: AttrKind, value: unknown): string {
  switch (kind) {
    case 'number':
    case 'dtype':
      return String(value);
    case 'shape':
    case 'offsets':
      return `[${(value as Shape).join(', ')}]`;
    case 'string':
      return JSON.stringify(value);
    case 'type':
      return formatType(value as TensorType);
  }
}

/** Whether `value` is of the kind. */
export function isAttr(kind: AttrKind, value: unknown): value is AttrValue {
  switch (kind) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'dtype':
      return isDType(value);
    case 'shape':
      return Array.isArray(value) && value.every((d) => Number.isSafeInteger(d) && d >= 0);
    case 'offsets':
      return Array.isArray(value) && value.every((d) => Number.isSafeInteger(d));
    case 'string':
      return typeof value === 'string';
    case 'type': {
      if (typeof value !== 'object' || value === null) return false;
      const { dtype, shape } = value as Partial<TensorType>;
      return isDType(dtype) && isAttr('shape', shape);
    }
  }
}

export function isDType(value: unknown): value is DType {
  return value === 'f32' || value === 'f16' || value === 'u32';
}
