// The inputs of `unetc run`: the tensors of a safetensors file, read and held against what the model takes.

import { fault, type Origin } from '../../runtime/bytes.ts';
import { findInputFaults } from '../../runtime/check-inputs.ts';
import { readFile } from '../../runtime/host/node/files.ts';
import type { ModelInputs, ModelInterface, PortValue } from '../../runtime/model.ts';
import type { InputSpec } from '../../runtime/ports.ts';
import { isFloating } from '../../runtime/weights/dtypes.ts';
import { nearestName } from '../../runtime/weights/nearest-name.ts';
import { asFloat32, readTensors, type StoredTensor } from '../../runtime/weights/safetensors.ts';

/** What a run gives: a file that records a whole pass holds these, too, and they are left alone. */
const OUTPUT = /^(output|gradient|middle|(down|up)\.\d+|loss\.\w+|grad\..+)$/;

/** The tensors of an input file as they are stored. */
export interface RunInputs {
  readonly origin: Origin;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** What batch and size of a pass are told by. */
export interface GivenShapes {
  readonly origin: Origin;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}

/** Reads the file. Throws RuntimeError('input') where it is no safetensors file. */
export function readRunInputs(file: string): RunInputs {
  const origin: Origin = { kind: 'input', label: file };
  return { origin, tensors: readTensors(readFile(origin), origin) };
}

/** How many samples the inputs are for: the first dimension of the first port that is there; 1 where none is. */
export function batchOf({ tensors }: GivenShapes, { inputs }: ModelInterface): number {
  return inputs.map(({ name }) => tensors.get(name)?.shape[0]).find(Boolean) ?? 1;
}

/**
 * The image size of the first port of images, which is the one that a model's size is told by, with the port's name and
 * the tensor's shape; null where it is missing or is not [batch, channels, ...as many sizes as the model has].
 */
export function imageSizeOf(
  { tensors }: GivenShapes,
  { inputs }: ModelInterface,
): { readonly name: string; readonly shape: readonly number[]; readonly size: readonly number[] } | null {
  const port = inputs.find(({ encoding }) => encoding === 'image');
  if (port === undefined) return null;
  const shape = tensors.get(port.name)?.shape;
  if (shape === undefined || shape.length !== port.shape.length || shape.includes(0)) return null;
  return { name: port.name, shape, size: shape.slice(2) };
}

/**
 * The inputs as the model takes them: images as float32, the others as numbers. Throws RuntimeError('input') that lists
 * every tensor that is unknown, missing, of the wrong type or shape, or out of range.
 */
export function toModelInputs(
  { origin, tensors: stored }: RunInputs,
  { inputs: ports }: ModelInterface,
): ModelInputs {
  const names = ports.map(({ name }) => name);
  const tensors = renamed(stored, names);
  const strangers = [...tensors.keys()].filter((name) => !OUTPUT.test(name) && !names.includes(name));
  const typed = ports.flatMap((port) => typeFaults(port, tensors.get(port.name)));
  const inputs = Object.fromEntries(
    ports.flatMap((port): [string, PortValue][] => {
      const tensor = tensors.get(port.name);
      if (tensor === undefined) return [];
      return [[port.name, port.encoding === 'image' ? asFloat32(tensor) : asNumbers(tensor)]];
    }),
  );
  // What a tensor of the wrong type holds says nothing.
  const fits = findInputFaults(inputs, ports).filter(
    (text) => !typed.some((other) => firstWord(other) === firstWord(text)),
  );
  const faults = [...strangers.map((name) => strangerFault(name, names)), ...typed, ...fits];
  if (faults.length > 0) throw fault(origin, faults.join(`\n${origin.label}: `));
  return inputs;
}

/** What other projects call an input, by our name. */
const ALIASES = { y: 'class_labels' } as const;

/** The tensors with the names of the model's inputs where they have those of other projects. */
function renamed(stored: RunInputs['tensors'], names: readonly string[]): RunInputs['tensors'] {
  const ours = new Map<string, string>(
    Object.entries(ALIASES).flatMap(([name, alias]) =>
      names.includes(name) && !stored.has(name) ? [[alias, name] as const] : [],
    ),
  );
  return new Map([...stored].map(([name, tensor]) => [ours.get(name) ?? name, tensor]));
}

/** A name that is no input's, with the one that it may stand for. */
function strangerFault(name: string, names: readonly string[]): string {
  const near = nearestName(name, names);
  const meant = near === null ? `it takes only ${names.join(', ')}` : `did you mean ${near}?`;
  return `${JSON.stringify(name)} is no input of the model; leave it out, or rename it: ${meant}`;
}

function typeFaults(
  { name, encoding, ...port }: InputSpec,
  tensor: StoredTensor | undefined,
): readonly string[] {
  if (tensor === undefined) return [];
  const { dtype, shape } = tensor;
  const isWhole = !isFloating(dtype) && dtype !== 'BOOL';
  if (encoding === 'image') {
    if (isFloating(dtype)) return [];
    return [`${name} is of type ${dtype}; store it as F32 (F16, BF16 and F64 are read, too)`];
  }
  if (encoding === 'label' && !isWhole) {
    return [`${name} is of type ${dtype}; labels are whole numbers, store them as I64 or I32`];
  }
  if (port.dtype === 'u32' && !isWhole) return [`${name} is of type ${dtype}; store it as I64 or I32`];
  if (dtype === 'BOOL') return [`${name} is of type BOOL; store it as F32, F64, I64 or I32`];
  if (encoding !== 'plain' && shape.length !== 1) {
    return [`${name} has shape [${shape.join(', ')}], expected one number a sample, a shape [batch]`];
  }
  if (encoding === 'plain' && shape.join() !== port.shape.join()) {
    return [`${name} has shape [${shape.join(', ')}], expected [${port.shape.join(', ')}]`];
  }
  return [];
}

function asNumbers({ data }: StoredTensor): readonly number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/** The tensor's name that a fault begins with: `y`, `y[3]` and `y:` alike. */
function firstWord(text: string): string {
  return /^\w+/.exec(text)?.[0] ?? '';
}
