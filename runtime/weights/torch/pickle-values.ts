// What a checkpoint's pickle may speak of, as inert data: nothing here is ever called. A name of Python's that is not
// in the table below is refused when it is met, before anything could be done with it.

import type { Dtype } from './dtypes.ts';

export type PickleValue = null | boolean | number | bigint | string | PickleObject;

export type PickleObject =
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'tuple'; readonly items: readonly PickleValue[] }
  | { readonly kind: 'list' | 'set'; readonly items: PickleValue[] }
  | { readonly kind: 'dict'; readonly entries: Map<PickleValue, PickleValue> }
  | { readonly kind: 'global'; readonly name: string; readonly meaning: Meaning }
  | PickleStorage
  | PickleTensor
  /** Something harmless that no tensor depends on: a device, bytes, a set. */
  | { readonly kind: 'opaque'; readonly name: string };

/** A run of elements in the archive entry `data/KEY`; `dtype` is null where the tensors on it say theirs. */
export interface PickleStorage {
  readonly kind: 'storage';
  readonly dtype: Dtype | null;
  readonly key: string;
  /** In elements of `dtype`, in bytes where that is null. */
  readonly count: number;
}

/** A view of a storage; offset and strides count elements. */
export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** What an allowed global stands for. */
export type Meaning =
  | { readonly is: 'storage'; readonly dtype: Dtype | null }
  | { readonly is: 'dtype'; readonly dtype: Dtype }
  | { readonly is: 'type' }
  | {
      readonly is:
        | 'dict'
        | 'set'
        | 'size'
        | 'encode'
        | 'device'
        | 'rebuild_tensor'
        | 'rebuild_parameter'
        | 'rebuild_from_type';
    };

/** Dimensions a tensor may have; PyTorch's own kernels stop at 25. */
const MAX_RANK = 32;

const STORAGES: Readonly<Record<string, Dtype | null>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  UntypedStorage: null,
};

const DTYPES: Readonly<Record<string, Dtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
};

/** Everything that a pickle may name, by module and name. */
export const ALLOWED_GLOBALS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['collections.OrderedDict', { is: 'dict' }],
  ['collections.Counter', { is: 'dict' }],
  ['builtins.dict', { is: 'dict' }],
  ['builtins.set', { is: 'set' }],
  ['__builtin__.set', { is: 'set' }],
  ['_codecs.encode', { is: 'encode' }],
  ['torch.Size', { is: 'size' }],
  ['torch.device', { is: 'device' }],
  ['torch.Tensor', { is: 'type' }],
  ['torch.nn.parameter.Parameter', { is: 'type' }],
  ['torch._utils._rebuild_tensor', { is: 'rebuild_tensor' }],
  ['torch._utils._rebuild_tensor_v2', { is: 'rebuild_tensor' }],
  ['torch._utils._rebuild_tensor_v3', { is: 'rebuild_tensor' }],
  ['torch._utils._rebuild_parameter', { is: 'rebuild_parameter' }],
  ['torch._utils._rebuild_parameter_with_state', { is: 'rebuild_parameter' }],
  ['torch._tensor._rebuild_from_type_v2', { is: 'rebuild_from_type' }],
  ...Object.entries(STORAGES).flatMap(([name, dtype]): [string, Meaning][] => [
    [`torch.${name}`, { is: 'storage', dtype }],
    [`torch.storage.${name}`, { is: 'storage', dtype }],
  ]),
  ...Object.entries(DTYPES).map(([name, dtype]): [string, Meaning] => [
    `torch.${name}`,
    { is: 'dtype', dtype },
  ]),
]);

/** Whether `value` is an object of the given kind. */
export function isKind<K extends PickleObject['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleObject, { kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

/** The value that `callable(*args)` stands for, or what is wrong with it as text. Never calls anything. */
export function construct(
  callable: PickleValue,
  args: readonly PickleValue[],
): PickleValue | { wrong: string } {
  if (!isKind(callable, 'global')) return { wrong: 'calls something that is no name' };
  const { meaning, name } = callable;
  switch (meaning.is) {
    case 'dict': {
      // Nothing is copied, here and below: a pickle that calls a million times costs no more than its bytes.
      const [from] = args;
      if (from === undefined) return { kind: 'dict', entries: new Map() };
      return isKind(from, 'dict') ? from : { wrong: `calls ${name} with something that is no dict` };
    }
    case 'size': {
      const [items] = args;
      return isKind(items, 'tuple') ? items : { wrong: `calls ${name} without a tuple` };
    }
    case 'encode':
    case 'set':
    case 'device':
      return { kind: 'opaque', name };
    case 'rebuild_tensor':
      return rebuildTensor(args) ?? { wrong: `calls ${name} with arguments that make no tensor` };
    case 'rebuild_parameter':
      return isKind(args[0], 'tensor') ? args[0] : { wrong: `calls ${name} without a tensor` };
    case 'rebuild_from_type': {
      const [inner, , innerArgs] = args;
      // Its first argument may only be one of the two above, so this recurses once.
      const ok =
        isKind(inner, 'global') &&
        (inner.meaning.is === 'rebuild_tensor' || inner.meaning.is === 'rebuild_parameter');
      if (!ok || !isKind(innerArgs, 'tuple'))
        return { wrong: `calls ${name} on something that makes no tensor` };
      return construct(inner, innerArgs.items);
    }
    case 'storage':
    case 'dtype':
    case 'type':
      return { wrong: `calls ${name}, which is a type` };
  }
}

/** `(storage, offset, shape, stride, …)`; version 3 has the dtype as its seventh. */
function rebuildTensor(args: readonly PickleValue[]): PickleTensor | null {
  const [storage, offset, shape, stride, , , named] = args;
  const sizes = naturals(shape);
  const strides = naturals(stride);
  if (!isKind(storage, 'storage') || !isNatural(offset) || sizes === null || strides?.length !== sizes.length)
    return null;
  const own = isKind(named, 'global') && named.meaning.is === 'dtype' ? named.meaning.dtype : null;
  const dtype = own ?? storage.dtype;
  return dtype === null ? null : { kind: 'tensor', storage, dtype, offset, shape: sizes, stride: strides };
}

/** `('storage', type, key, device, count)`, the one thing that a persistent id may be, or null. */
export function storageOf(id: PickleValue): PickleStorage | null {
  if (!isKind(id, 'tuple')) return null;
  const [tag, type, key, , count] = id.items;
  if (tag !== 'storage' || typeof key !== 'string' || !isNatural(count)) return null;
  if (!isKind(type, 'global') || type.meaning.is !== 'storage') return null;
  return { kind: 'storage', dtype: type.meaning.dtype, key, count };
}

function isNatural(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function naturals(value: PickleValue | undefined): readonly number[] | null {
  if ((!isKind(value, 'tuple') && !isKind(value, 'list')) || value.items.length > MAX_RANK) return null;
  const numbers = value.items.filter(isNatural);
  return numbers.length === value.items.length ? numbers : null;
}
