// The names of Python's that a checkpoint's tensors are made with, and what each stands for. Every other name stands for
// nothing: it is kept as a name, and nobody imports it.

import type { Dtype } from '../dtypes.ts';
import type { Meaning } from './pickle-values.ts';

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

/** Storages whose tensors are not read, and the bytes that an element takes: a reader has to pass over them. */
const UNREAD_STORAGES: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
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

/** NumPy before and after its version 2. */
const NUMPY = ['numpy.core', 'numpy._core'];

const GLOBALS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['collections.OrderedDict', { is: 'dict' }],
  ['collections.Counter', { is: 'dict' }],
  ['collections.defaultdict', { is: 'default_dict' }],
  ['builtins.dict', { is: 'dict' }],
  ['__builtin__.dict', { is: 'dict' }],
  ['builtins.set', { is: 'set' }],
  ['__builtin__.set', { is: 'set' }],
  ...['list', 'tuple', 'frozenset', 'int', 'float', 'bool', 'str', 'complex', 'object'].flatMap(
    (name): [string, Meaning][] => [
      [`builtins.${name}`, { is: 'inert' }],
      [`__builtin__.${name}`, { is: 'inert' }],
    ],
  ),
  ['_codecs.encode', { is: 'encode' }],
  ['builtins.bytes', { is: 'encode' }],
  ['__builtin__.bytes', { is: 'encode' }],
  ['builtins.bytearray', { is: 'encode' }],
  ['__builtin__.bytearray', { is: 'encode' }],
  ['torch.Size', { is: 'size' }],
  ['torch.device', { is: 'inert' }],
  ['torch.Tensor', { is: 'inert' }],
  ['torch.nn.parameter.Parameter', { is: 'inert' }],
  ['torch._utils._rebuild_tensor', { is: 'rebuild_tensor' }],
  ['torch._utils._rebuild_tensor_v2', { is: 'rebuild_tensor' }],
  ['torch._utils._rebuild_tensor_v3', { is: 'rebuild_tensor' }],
  ['torch._utils._rebuild_parameter', { is: 'rebuild_parameter' }],
  ['torch._utils._rebuild_parameter_with_state', { is: 'rebuild_parameter' }],
  ['torch._tensor._rebuild_from_type_v2', { is: 'rebuild_from_type' }],
  ['numpy.ndarray', { is: 'inert' }],
  ['numpy.dtype', { is: 'array_type' }],
  ...NUMPY.flatMap((core): [string, Meaning][] => [
    [`${core}.multiarray._reconstruct`, { is: 'array' }],
    [`${core}.numeric._frombuffer`, { is: 'array_of_buffer' }],
    [`${core}.multiarray.scalar`, { is: 'inert' }],
  ]),
  ...Object.entries(STORAGES).flatMap(([name, dtype]) => storages(name, { is: 'storage', dtype })),
  ...Object.entries(UNREAD_STORAGES).flatMap(([name, bytes]) =>
    storages(name, { is: 'storage', dtype: null, unread: { name: `torch.${name}`, bytes } }),
  ),
  ...Object.entries(DTYPES).map(([name, dtype]): [string, Meaning] => [
    `torch.${name}`,
    { is: 'dtype', dtype },
  ]),
]);

function storages(name: string, meaning: Meaning): [string, Meaning][] {
  return [
    [`torch.${name}`, meaning],
    [`torch.storage.${name}`, meaning],
  ];
}

const UNKNOWN: Meaning = { is: 'unknown' };

/** What a name, module and all, stands for. */
export function meaningOf(name: string): Meaning {
  return GLOBALS.get(name) ?? UNKNOWN;
}

/** Modules and functions that run programs, open files or reach the network: no checkpoint has a use for them. */
const HARMFUL =
  /^(?:os|posix|nt|subprocess|pty|commands|socket|shutil|sys|runpy|importlib|ctypes|webbrowser|code|pdb|timeit|urllib|requests)\.|^(?:builtins|__builtin__)\.(?:eval|exec|execfile|compile|open|__import__|breakpoint)$/;

/** Whether a name is one that is put into checkpoints to do harm where they are unpickled. */
export function isHarmful(name: string): boolean {
  return HARMFUL.test(name) && !/^os\.PathLike$/.test(name);
}
