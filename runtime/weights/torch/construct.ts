// What a call in a pickle stands for. Nothing is called: the few functions that make tensors and dicts are known by name,
// and the call of any other is a placeholder.

import { arrayOfBuffer, arrayType } from './numpy.ts';
import {
  isKind,
  isNatural,
  naturals,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './pickle-values.ts';

/**
 * The value that `callable(*args)` stands for, or what is wrong with it as text. `charge` is told of memory that the
 * value takes beyond that of a small object.
 */
export function construct(
  callable: PickleValue,
  args: readonly PickleValue[],
  charge: (bytes: number) => void,
): PickleValue | { readonly wrong: string } {
  // The call of what a placeholder stands for, such as a bound method.
  if (isKind(callable, 'opaque')) return callable;
  if (!isKind(callable, 'global')) return { wrong: 'calls something that is no name' };
  const { meaning, name } = callable;
  switch (meaning.is) {
    case 'dict':
      return dictOf(name, args[0], charge);
    case 'default_dict':
      return dictOf(name, args[1], charge);
    case 'size': {
      const [items] = args;
      return isKind(items, 'tuple') ? items : { wrong: `calls ${name} without a tuple` };
    }
    case 'encode':
      return encode(args, charge) ?? { kind: 'opaque', name };
    case 'rebuild_tensor':
      return rebuildTensor(args) ?? { wrong: `calls ${name} with arguments that make no tensor` };
    case 'rebuild_parameter': {
      const [inner] = args;
      if (isKind(inner, 'tensor') || isKind(inner, 'opaque')) return inner;
      return { wrong: `calls ${name} without a tensor` };
    }
    case 'rebuild_from_type': {
      const [inner, , innerArgs] = args;
      // Its first argument may only be one of the two above, so this recurses once.
      if (!isKind(inner, 'global') || !isKind(innerArgs, 'tuple'))
        return { wrong: `calls ${name} on something that makes no tensor` };
      const { is } = inner.meaning;
      if (is === 'unknown') return { kind: 'opaque', name: inner.name };
      if (is !== 'rebuild_tensor' && is !== 'rebuild_parameter')
        return { wrong: `calls ${name} on something that makes no tensor` };
      return construct(inner, innerArgs.items, charge);
    }
    case 'array':
      return { kind: 'array', tensor: null };
    case 'array_of_buffer': {
      const array = arrayOfBuffer(args);
      return typeof array === 'string' ? { wrong: array } : array;
    }
    case 'array_type':
      return arrayType(args);
    case 'set':
    case 'storage':
    case 'dtype':
    case 'inert':
    case 'unknown':
      return { kind: 'opaque', name };
  }
}

/** A dict of another one, which is not copied, or as Python 2 writes it of a list of pairs. */
function dictOf(
  name: string,
  from: PickleValue | undefined,
  charge: (bytes: number) => void,
): PickleValue | { readonly wrong: string } {
  if (from === undefined) return { kind: 'dict', entries: new Map() };
  if (isKind(from, 'dict')) return from;
  if (!isKind(from, 'list')) return { wrong: `calls ${name} with something that is no dict` };
  charge(from.items.length * 64);
  const entries = new Map<PickleValue, PickleValue>();
  for (const pair of from.items) {
    const items = isKind(pair, 'list') || isKind(pair, 'tuple') ? pair.items : [];
    if (items.length !== 2) return { wrong: `calls ${name} with a list of something else than pairs` };
    entries.set(items[0]!, items[1]!);
  }
  return { kind: 'dict', entries };
}

/**
 * `encode(text, 'latin1')` and `bytes()`: the ways of protocol 2 to write bytes, and none; `bytearray(bytes)` is that of
 * the later ones. Null for what makes no bytes.
 */
function encode([text, coding]: readonly PickleValue[], charge: (bytes: number) => void): PickleValue | null {
  if (text === undefined) return { kind: 'bytes', value: new Uint8Array(0) };
  if (isKind(text, 'bytes')) return text;
  if (coding !== 'latin1' && coding !== 'latin-1') return null;
  if (isKind(text, 'text')) return { kind: 'bytes', value: { ...text.value, latin1: true } };
  if (typeof text !== 'string') return null;
  charge(text.length);
  const value = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return null;
    value[i] = code;
  }
  return { kind: 'bytes', value };
}

/** `(storage, offset, shape, stride, …)`; version 3 has the dtype as its seventh. */
function rebuildTensor(args: readonly PickleValue[]): PickleTensor | PickleValue {
  const [storage, offset, shape, stride, , , named] = args;
  if (isKind(storage, 'opaque')) return storage;
  const sizes = naturals(shape);
  const strides = naturals(stride);
  if (!isKind(storage, 'storage') || !isNatural(offset) || sizes === null || strides?.length !== sizes.length)
    return null;
  if (storage.unread !== undefined) return { kind: 'opaque', name: storage.unread.name };
  const own = isKind(named, 'global') && named.meaning.is === 'dtype' ? named.meaning.dtype : null;
  const dtype = own ?? storage.dtype;
  if (dtype !== null) return { kind: 'tensor', storage, dtype, offset, shape: sizes, stride: strides };
  // An element type that came after this reader, such as torch.float8_e4m3fn.
  return isKind(named, 'global') ? { kind: 'opaque', name: named.name } : null;
}

/**
 * What a persistent id stands for: `('storage', type, key, device, count, view)`, where old files may have a view
 * `(key, offset, count)` of another storage; or `('module', class, file, source)`, which is its class. Null for others.
 */
export function persistentOf(id: PickleValue): PickleValue {
  if (!isKind(id, 'tuple')) return null;
  const [tag, type, key, , count, view] = id.items;
  if (tag === 'module' && isKind(type, 'global')) return type;
  if (tag !== 'storage' || typeof key !== 'string' || !isNatural(count) || !isKind(type, 'global'))
    return null;
  if (type.meaning.is === 'unknown') return { kind: 'opaque', name: type.name };
  if (type.meaning.is !== 'storage') return null;
  const { dtype, unread } = type.meaning;
  const storage: PickleStorage = { kind: 'storage', dtype, key, count, ...(unread && { unread }) };
  if (!isKind(view, 'tuple')) return storage;
  const [viewKey, offset, length] = view.items;
  if (typeof viewKey !== 'string' || !isNatural(offset) || !isNatural(length)) return null;
  // The view's own key names no storage of the file; the first key does.
  return { ...storage, offset, count: length };
}
