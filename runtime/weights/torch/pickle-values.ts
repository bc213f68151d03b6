// What a checkpoint's pickle may speak of, as inert data: nothing here is ever called. What is no tensor, no plain value
// and no container of them is a placeholder that keeps a name and nothing else.

import type { Dtype } from '../dtypes.ts';
import type { Span } from './pickle-reader.ts';

export type PickleValue = null | boolean | number | bigint | string | PickleObject;

export type PickleObject =
  | { readonly kind: 'bytes'; readonly value: Uint8Array | Span }
  /** Text that is too long for a name and stays in the file. */
  | { readonly kind: 'text'; readonly value: Span }
  | { readonly kind: 'tuple'; readonly items: readonly PickleValue[] }
  | { readonly kind: 'list'; readonly items: PickleValue[] }
  | { readonly kind: 'set'; readonly items: PickleValue[] }
  | { readonly kind: 'dict'; readonly entries: Map<PickleValue, PickleValue> }
  | { readonly kind: 'global'; readonly name: string; readonly meaning: Meaning }
  | PickleStorage
  | PickleTensor
  | PickleArray
  | PickleArrayType
  /** Whatever no tensor depends on: a device, a number of NumPy's, an object of a class that nobody imports. */
  | { readonly kind: 'opaque'; readonly name: string };

/** A run of elements in the checkpoint, by its key; `dtype` is null where the tensors on it say theirs. */
export interface PickleStorage {
  readonly kind: 'storage';
  readonly dtype: Dtype | null;
  readonly key: string;
  /** In elements of `dtype`, in bytes where that is null. */
  readonly count: number;
  /** The name of a type whose tensors are not read, and the bytes an element of it takes. */
  readonly unread?: { readonly name: string; readonly bytes: number };
  /** Where a storage that is a part of another one begins in it, in elements. */
  readonly offset?: number;
}

/** The elements of an array of NumPy's, which lie in the pickle itself. */
export interface PickleElements {
  readonly kind: 'elements';
  readonly dtype: Dtype;
  readonly count: number;
  readonly bytes: Uint8Array | Span;
  readonly bigEndian: boolean;
}

/** A view of a storage; offset and strides count elements. */
export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage | PickleElements;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** An array of NumPy's: a pickle makes an empty one and tells later what is in it. */
export interface PickleArray {
  readonly kind: 'array';
  /** Null before, and where the elements are none that are read. */
  tensor: PickleTensor | null;
}

/** An element type of NumPy's; null is one that is not read. */
export interface PickleArrayType {
  readonly kind: 'array_type';
  readonly dtype: Dtype | null;
  bigEndian: boolean;
}

/** What a global stands for. */
export type Meaning =
  | { readonly is: 'storage'; readonly dtype: Dtype | null; readonly unread?: PickleStorage['unread'] }
  | { readonly is: 'dtype'; readonly dtype: Dtype }
  | {
      readonly is:
        | 'dict'
        | 'default_dict'
        | 'set'
        | 'size'
        | 'encode'
        | 'rebuild_tensor'
        | 'rebuild_parameter'
        | 'rebuild_from_type'
        | 'array'
        | 'array_of_buffer'
        | 'array_type'
        /** Known, and of no use to a tensor. */
        | 'inert'
        | 'unknown';
    };

/** Whether `value` is an object of the given kind. */
export function isKind<K extends PickleObject['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleObject, { kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

/** The tensor that a value is, or null. */
export function tensorOf(value: PickleValue | undefined): PickleTensor | null {
  if (isKind(value, 'tensor')) return value;
  return isKind(value, 'array') ? value.tensor : null;
}

export function isNatural(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Dimensions a tensor may have; PyTorch's own kernels stop at 25, NumPy's arrays at 64. */
const MAX_RANK = 32;

/** A tuple or list of naturals, short enough for a shape, or null. */
export function naturals(value: PickleValue | undefined): readonly number[] | null {
  if ((!isKind(value, 'tuple') && !isKind(value, 'list')) || value.items.length > MAX_RANK) return null;
  const items: readonly PickleValue[] = value.items;
  const numbers = items.filter(isNatural);
  return numbers.length === items.length ? numbers : null;
}
