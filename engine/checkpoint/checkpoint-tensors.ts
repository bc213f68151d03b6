// Names and shapes of a checkpoint's tensors for commands that need no values: of whatever weights can be, or of a state
// dict written out as JSON (`{"out.2.bias": [3], …}`).

import type { ByteSource, Origin } from '../../runtime/bytes.ts';
import { closeOnThrow, decodeUtf8, fault } from '../../runtime/bytes.ts';
import { addressOf, openFileOf, openShardOf } from '../../runtime/host/node/open-weights.ts';
import { openCheckpoint } from '../../runtime/weights/checkpoint.ts';
import { duplicateKey } from '../../runtime/weights/duplicate-key.ts';
import { tensorToday, weightsToday } from '../../runtime/weights/old-names.ts';
import type { OpenShard } from '../../runtime/weights/shards.ts';
import type { CheckpointAddress, TensorInfo } from '../../runtime/weights/source.ts';
import { UsageError } from '../errors.ts';

export interface CheckpointTensors {
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  /** What its user should be told, such as which dict of a training checkpoint was taken. */
  readonly notes: readonly string[];
  /** What to write in front of a prefix of names to have the tensors under it; absent where there is no way. */
  readonly stem?: string;
}

/** The tensors that a graph has, and the names of the others. All are kept where none fits, as under a prefix. */
export function withoutUnexpected(
  tensors: ReadonlyMap<string, readonly number[]>,
  expected: readonly TensorInfo[],
): { readonly kept: ReadonlyMap<string, readonly number[]>; readonly left: readonly string[] } {
  const names = new Set(expected.map(({ name }) => name));
  const kept = new Map([...tensors].filter(([name]) => names.has(name)));
  if (kept.size === 0) return { kept: tensors, left: [] };
  return { kept, left: [...tensors.keys()].filter((name) => !names.has(name)) };
}

/** A list of names and shapes is a few kilobytes. */
const MAX_JSON = 16 * 2 ** 20;

/** Reads a checkpoint's head; the tensors' data is not read. Throws RuntimeError('weights'). */
export function readCheckpointTensors(path: string): CheckpointTensors {
  if (/^hash:/.test(path)) {
    throw new UsageError(`${path}: a formula has no tensors of its own; name a checkpoint file`);
  }
  const address = addressOf(path);
  return tensorsOfCheckpoint(openFileOf(address), address, openShardOf(address));
}

/** The same of bytes that are open already; closes them. An index of shards needs a way to open them. */
export function tensorsOfCheckpoint(
  bytes: ByteSource,
  address: CheckpointAddress,
  openShard: OpenShard | null = null,
): CheckpointTensors {
  const listed = beginsAsJson(bytes) ? readListed(bytes, address) : null;
  if (listed !== null) {
    const today = [...listed].map(([name, shape]) => tensorToday({ name, shape }));
    return { tensors: new Map(today.map(({ name, shape }) => [name, shape])), notes: [] };
  }
  const source = weightsToday(openCheckpoint(bytes, address, openShard));
  try {
    const tensors = new Map((source.tensors ?? []).map(({ name, shape }) => [name, shape]));
    const { notes = [], stem } = source;
    return { tensors, notes, ...(stem === undefined ? {} : { stem }) };
  } finally {
    source.close();
  }
}

function beginsAsJson(file: ByteSource): boolean {
  return /^\s*\{/.test(new TextDecoder().decode(file.read(0, Math.min(file.size, 8))));
}

/** A state dict as JSON, closed; null for an index of shards, left open. */
function readListed(
  file: ByteSource,
  { label, key }: CheckpointAddress,
): ReadonlyMap<string, readonly number[]> | null {
  return closeOnThrow(file, () => {
    const origin: Origin = { kind: 'weights', label };
    const listed = readJson(file, origin);
    if (listed !== null && key !== null)
      throw fault(origin, 'a state dict as JSON has no keys; take off what begins with #');
    if (listed !== null) file.close();
    return listed;
  });
}

function readJson(file: ByteSource, origin: Origin): Map<string, readonly number[]> | null {
  const expected = 'expected JSON of names and shapes, as in {"out.2.bias": [3]}';
  if (file.size > MAX_JSON) throw fault(origin, `this has ${file.size} bytes; ${expected}`);
  const text = decodeUtf8(file.read(0, file.size));
  if (text === null) throw fault(origin, `this is not UTF-8 text; ${expected}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fault(origin, `this is no JSON: ${(error as Error).message}; ${expected}`);
  }
  if (typeof value === 'object' && value !== null && 'weight_map' in value && !isShape(value.weight_map))
    return null;
  const twice = duplicateKey(text);
  if (twice !== null) throw fault(origin, `the key ${JSON.stringify(twice)} stands twice; ${expected}`);
  const entries = Object.entries(value as object);
  const wrong = entries.find(([, shape]) => !isShape(shape));
  if (wrong !== undefined) throw fault(origin, `${JSON.stringify(wrong[0])} has no shape; ${expected}`);
  return new Map(entries as [string, readonly number[]][]);
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
