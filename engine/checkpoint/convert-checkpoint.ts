// Writes a checkpoint as safetensors, in the checkpoint's order: in float32 or float16, in one file or in shards.

import path from 'node:path';
import { fault } from '../../runtime/bytes.ts';
import { writeFile, writeLargeFile } from '../../runtime/host/node/files.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { turnsOf } from '../../runtime/host/node/turns.ts';
import { elements } from '../../runtime/tensor.ts';
import { type Dtype, float32ToFloat16 } from '../../runtime/weights/dtypes.ts';
import {
  bytesOf,
  METADATA,
  safetensorsChunks,
  type TensorToWrite,
} from '../../runtime/weights/safetensors-write.ts';
import { MAX_SHARDS } from '../../runtime/weights/shards.ts';
import { planShards } from '../../runtime/weights/shards-write.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { UsageError } from '../errors.ts';
import { carriedGraph, carriesGraph, GRAPH_KEY } from '../graph/carried-graph.ts';
import type { Host } from '../host.ts';
import type { ConvertOptions, WeightDtype } from './weight-dtypes.ts';

const STORED = { f32: 'F32', f16: 'F16' } as const satisfies Readonly<Record<WeightDtype, Dtype>>;

/** What was converted, and how much of it. */
export interface Conversion {
  readonly input: string;
  /** What names the weights: the file, or the index of its shards. */
  readonly output: string;
  /** The files with tensors. */
  readonly files: readonly string[];
  readonly dtype: WeightDtype;
  readonly tensors: number;
  readonly params: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
}

const ENDING = '.safetensors';

/** Rejects with UsageError for words that are off, and RuntimeError for files that are. */
export async function convertCheckpoint(
  input: string,
  output: string,
  options: ConvertOptions,
  host: Pick<Host, 'note' | 'signal'>,
): Promise<Conversion> {
  if (!output.endsWith(ENDING)) {
    throw new UsageError(`${output}: the output is a safetensors file; let its name end in ${ENDING}`);
  }
  const source = openWeights(input);
  try {
    for (const note of source.notes ?? []) host.note(`${input}: ${note}`);
    return { input, ...(await writeWeights(source, output, { ...options, graph: carriedBy(input) }, host)) };
  } finally {
    source.close();
  }
}

/**
 * Writes all tensors of a source, with the text of the graph that they belong to where they carry it; where they are more than a shard, as `NAME-00001-of-00004.safetensors` with their index
 * `NAME.safetensors.index.json`, which is written last. Throws as `convertCheckpoint` does.
 */
export async function writeWeights(
  source: WeightSource,
  output: string,
  { dtype = 'f32', shardSize, graph = null }: ConvertOptions & { readonly graph?: string | null },
  host: Pick<Host, 'note' | 'signal'>,
): Promise<Omit<Conversion, 'input'>> {
  const { label } = source;
  const tensors = tensorsToWrite(source, dtype);
  const stem = path.basename(output, ENDING);
  const plan = planShards(tensors, shardSize ?? Number.POSITIVE_INFINITY, stem);
  for (const tensor of plan.oversized) {
    host.note(
      `${label}: ${tensor.name} has ${bytesOf(tensor)} bytes, more than a shard may have; its file is larger, for a tensor is not divided`,
    );
  }
  if (plan.shards.length > MAX_SHARDS) {
    throw new UsageError(
      (option) =>
        `${option('shard_size')}: that makes ${plan.shards.length} files, and at most ${MAX_SHARDS} are read; give a larger one`,
    );
  }
  if (plan.index !== null) await checkValues(tensors, host.signal);
  if (graph !== null && plan.index !== null) {
    host.note(`${label}: the graph that it carries is not written, for none of the shards is a whole model`);
  }
  const metadata = { format: 'pt', ...(graph !== null && plan.index === null ? { [GRAPH_KEY]: graph } : {}) };
  const place = (name: string) => path.join(path.dirname(output), name);
  for (const { name, tensors } of plan.shards) {
    const file = plan.index === null ? output : place(name);
    await writeLargeFile(file, safetensorsChunks(tensors, metadata), host.signal);
  }
  const index = `${output}.index.json`;
  if (plan.index !== null) writeFile(index, plan.index);
  return {
    output: plan.index === null ? output : index,
    files: plan.index === null ? [output] : plan.shards.map(({ name }) => place(name)),
    dtype,
    tensors: tensors.length,
    params: tensors.reduce((sum, { shape }) => sum + elements(shape), 0),
    bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  };
}

/** The text of the graph that a checkpoint carries; null where it carries none, or a part of it is meant. */
function carriedBy(input: string): string | null {
  return carriesGraph(input) ? carriedGraph(input) : null;
}

/** Reads every tensor once before anything is written: later shards may hold what cannot be. */
async function checkValues(tensors: readonly TensorToWrite[], signal: AbortSignal): Promise<void> {
  const takeTurn = turnsOf(signal);
  for (const { data } of tensors) {
    data();
    await takeTurn();
  }
}

/** The tensors of a source as they are stored; values are read and rounded when their turn comes. Throws as `writeWeights`. */
export function tensorsToWrite(source: WeightSource, dtype: WeightDtype): readonly TensorToWrite[] {
  const { label, tensors } = source;
  if (tensors === null)
    throw new UsageError(`${label}: a formula has no tensors of its own; name a checkpoint file`);
  if (tensors.some(({ name }) => name === METADATA)) {
    throw fault(
      { kind: 'weights', label },
      `a tensor is called ${METADATA}, a name that safetensors keeps for itself; rename it in the checkpoint`,
    );
  }
  return tensors.map(({ name, shape }) => {
    const read = () => source.read(name, shape);
    const data = dtype === 'f32' ? read : () => halves(read(), name, label);
    return { name, shape, dtype: STORED[dtype], data };
  });
}

/** Values rounded to float16. Throws RuntimeError('weights') where a finite one becomes infinite. */
function halves(values: Float32Array, name: string, label: string): Uint16Array {
  const rounded = float32ToFloat16(values);
  const bad = rounded.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i]));
  if (bad < 0) return rounded;
  throw fault(
    { kind: 'weights', label },
    `tensor ${JSON.stringify(name)} holds ${values[bad]} at element ${bad}, and float16 ends at 65504; keep it in float32 (--dtype f32)`,
  );
}
