// The inputs of `unetc run`: the tensors of a safetensors file, read and held against what the model takes.

import { fault, type Origin } from '../../runtime/bytes.ts';
import { findInputFaults } from '../../runtime/check-inputs.ts';
import { readFile } from '../../runtime/host/node/files.ts';
import type { ModelInputs, ModelInterface } from '../../runtime/model.ts';
import { isFloating } from '../../runtime/weights/dtypes.ts';
import { nearestName } from '../../runtime/weights/nearest-name.ts';
import { asFloat32, readTensors, type StoredTensor } from '../../runtime/weights/safetensors.ts';

/** What a tensor may be called, and what it may be stored as. */
const KINDS = {
  x: { numbers: 'floating', shape: 'images' },
  timesteps: { numbers: 'any', shape: 'vector' },
  y: { numbers: 'integer', shape: 'vector' },
  low_res: { numbers: 'floating', shape: 'images' },
} as const satisfies Record<keyof ModelInputs, object>;

const NAMES = ['x', 'timesteps', 'y', 'low_res'] as const satisfies readonly (keyof ModelInputs)[];

/** What a run gives: a file that records a whole pass holds these, too, and they are left alone. */
const OUTPUT = /^(output|middle|(down|up)\.\d+)$/;

/** The tensors of an input file as they are stored. */
export interface RunInputs {
  readonly origin: Origin;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Reads the file. Throws RuntimeError('input') where it is no safetensors file. */
export function readRunInputs(file: string): RunInputs {
  const origin: Origin = { kind: 'input', label: file };
  return { origin, tensors: readTensors(readFile(origin), origin) };
}

/** How many images the inputs are for: the first dimension of x, or where it is missing of timesteps; 1 without. */
export function batchOf({ tensors }: RunInputs): number {
  return (tensors.get('x') ?? tensors.get('timesteps'))?.shape[0] || 1;
}

/** The image size of x, or null where x is missing or is not [batch, channels, ...`dims` sizes]. */
export function sizeOfX({ tensors }: RunInputs, dims: number): readonly number[] | null {
  const shape = tensors.get('x')?.shape;
  return shape === undefined || shape.length !== dims + 2 || shape.includes(0) ? null : shape.slice(2);
}

/**
 * The inputs as the model takes them: images as float32, timesteps and labels as numbers. Throws RuntimeError('input')
 * that lists every tensor that is unknown, missing, superfluous, of the wrong type or shape, or out of range.
 */
export function toModelInputs({ origin, tensors }: RunInputs, model: ModelInterface): ModelInputs {
  const strangers = [...tensors.keys()].filter(
    (name) => !OUTPUT.test(name) && !NAMES.some((known) => known === name),
  );
  const typed = NAMES.flatMap((name) => typeFaults(name, tensors.get(name)));
  const [x, timesteps, y, low_res] = NAMES.map((name) => tensors.get(name));
  const inputs: Partial<ModelInputs> = {
    ...(x && { x: asFloat32(x) }),
    ...(timesteps && { timesteps: asNumbers(timesteps) }),
    ...(y && { y: asNumbers(y) }),
    ...(low_res && { low_res: asFloat32(low_res) }),
  };
  const xShape = [model.batch, model.in_channels, ...model.image_size];
  // What a tensor of the wrong type holds says nothing.
  const fits = findInputFaults(inputs, model, xShape).filter(
    (text) => !typed.some((other) => firstWord(other) === firstWord(text)),
  );
  const faults = [...strangers.map(strangerFault), ...typed, ...fits];
  if (faults.length > 0) throw fault(origin, faults.join(`\n${origin.label}: `));
  return inputs as ModelInputs;
}

function strangerFault(name: string): string {
  const near = nearestName(name, NAMES);
  const meant = near === null ? `inputs are ${NAMES.join(', ')}` : `did you mean ${near}?`;
  return `${JSON.stringify(name)} is no input of a model; leave it out, or rename it: ${meant}`;
}

function typeFaults(name: keyof ModelInputs, tensor: StoredTensor | undefined): readonly string[] {
  if (tensor === undefined) return [];
  const { numbers: wanted, shape } = KINDS[name];
  const { dtype } = tensor;
  if (wanted === 'floating' && !isFloating(dtype)) {
    return [`${name} is of type ${dtype}; store it as F32 (F16, BF16 and F64 are read, too)`];
  }
  if (wanted === 'integer' && (isFloating(dtype) || dtype === 'BOOL')) {
    return [`${name} is of type ${dtype}; labels are whole numbers, store them as I64 or I32`];
  }
  if (wanted === 'any' && dtype === 'BOOL') {
    return [`${name} is of type BOOL; store it as F32, F64, I64 or I32`];
  }
  if (shape === 'vector' && tensor.shape.length !== 1) {
    return [`${name} has shape [${tensor.shape.join(', ')}], expected one number a sample, a shape [batch]`];
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
