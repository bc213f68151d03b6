// A checkpoint in several files beside each other: an index, `*.safetensors.index.json` or `*.bin.index.json`, names the
// file of every tensor. Every shard is opened and held against the index before a tensor is read.
// Source of the format: huggingface_hub's serialization.

import { type ByteSource, closeEach, decodeUtf8, fault, type Origin } from '../bytes.ts';
import { RuntimeError } from '../errors.ts';
import { duplicateKey } from './duplicate-key.ts';
import type { CheckpointAddress, WeightSource } from './source.ts';

/** Whether a file begins as JSON text does. A header of safetensors has a 0 as its last byte of length. */
export function isJsonText(head: Uint8Array): boolean {
  return /^\s*\{/.test(String.fromCharCode(...head.subarray(0, 8))) && head[7] !== 0;
}

/** The shards that a file names, each once; none where it is no index. */
export function shardNames(source: ByteSource, origin: Origin): readonly string[] {
  if (!isJsonText(source.read(0, Math.min(8, source.size)))) return [];
  return [...new Set(readIndex(source, origin).values())];
}

/** Bytes of all tensors, as an index says; null where it does not. */
export function indexSize(source: ByteSource): number | null {
  const { metadata } = JSON.parse(decodeUtf8(source.read(0, source.size)) ?? 'null') as {
    readonly metadata?: { readonly total_size?: unknown };
  };
  const size = metadata?.total_size;
  return Number.isSafeInteger(size) && Number(size) > 0 ? Number(size) : null;
}

/** The index of files that are a checkpoint together, by the name of each. */
export function indexOfShards(shards: ReadonlyMap<string, Pick<WeightSource, 'tensors'>>): Uint8Array {
  const map = new Map<string, string>();
  for (const [file, { tensors }] of shards) for (const { name } of tensors ?? []) map.set(name, file);
  const pairs = [...map].map(([name, file]) => `${JSON.stringify(name)}:${JSON.stringify(file)}`);
  return new TextEncoder().encode(`{"weight_map":{${pairs.join(',')}}}`);
}

/** Opens a file by its path in the folder of the index. */
export type OpenShard = (name: string) => ByteSource;

/** An index has some 100 bytes a tensor. */
const MAX_INDEX = 16 * 2 ** 20;
/** Shards that are opened at the most. */
export const MAX_SHARDS = 1000;

/**
 * The tensors of all shards that the index in `source` names, in its order. `open` opens one as weights. Takes over
 * `source`; what was opened is closed where a shard is off.
 */
export function shardedWeights(
  source: ByteSource,
  { label, file }: CheckpointAddress,
  open: (name: string) => WeightSource,
): WeightSource {
  const origin: Origin = { kind: 'weights', label };
  const index = readIndex(source, origin);
  const names = [...new Set(index.values())];
  const shards = new Map<string, WeightSource>();
  const close = () => closeEach([...shards.values(), source]);
  try {
    for (const name of names) shards.set(name, openShard(name, open, origin));
    const places = checkShards(index, shards, origin);
    return {
      label,
      stem: `${file}#`,
      tensors: [...places].map(([name, { shape }]) => ({ name, shape })),
      notes: [...shards].flatMap(([name, { notes }]) => (notes ?? []).map((note) => `${name}: ${note}`)),
      read(name, shape, scratch) {
        const place = places.get(name);
        if (place === undefined) throw fault(origin, `there is no tensor ${JSON.stringify(name)}`);
        return place.shard.read(name, shape, scratch);
      },
      close,
    };
  } catch (error) {
    closeEach(shards.values());
    throw error;
  }
}

/** The shard of every tensor; each lies in the folder of the index. */
function readIndex(source: ByteSource, origin: Origin): ReadonlyMap<string, string> {
  const expected =
    'expected an index of shards, {"weight_map": {"out.2.bias": "model-00001-of-00002.safetensors"}}';
  if (source.size > MAX_INDEX)
    throw fault(origin, `this is JSON text of ${source.size} bytes; ${expected} of at most ${MAX_INDEX}`);
  const text = decodeUtf8(source.read(0, source.size));
  if (text === null) throw fault(origin, `this is text that is not UTF-8; ${expected}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fault(
      origin,
      `this is JSON text that breaks off: ${error instanceof Error ? error.message : error}`,
    );
  }
  const map = isObject(json) && Object.hasOwn(json, 'weight_map') ? json.weight_map : undefined;
  if (!isObject(map))
    throw fault(origin, `this is JSON text; ${expected}, or the file that holds the tensors`);
  const twice = duplicateKey(text);
  if (twice !== null) throw fault(origin, `the key ${JSON.stringify(twice)} stands in it twice`);
  const entries = Object.entries(map);
  const wrong = entries.find(([, name]) => typeof name !== 'string' || name === '');
  if (wrong !== undefined) throw fault(origin, `it names no shard for ${JSON.stringify(wrong[0])}`);
  if (entries.length === 0) throw fault(origin, 'it names no tensor');
  const shards = new Set(entries.map(([, name]) => name as string));
  if (shards.size > MAX_SHARDS)
    throw fault(origin, `it names ${shards.size} shards; at most ${MAX_SHARDS} are opened`);
  for (const name of shards) checkInside(name, origin);
  return new Map(entries as [string, string][]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A shard lies in the folder of its index, or below it. */
function checkInside(name: string, origin: Origin): void {
  const parts = name.split(/[\\/]/);
  if (!/^[\\/]|^[a-z]:|\0/i.test(name) && !parts.includes('..')) return;
  throw fault(origin, `shard ${JSON.stringify(name)} leads out of the folder; shards lie beside their index`);
}

function openShard(name: string, open: (name: string) => WeightSource, origin: Origin): WeightSource {
  try {
    return open(name);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw fault(origin, `shard ${error.message}`, error);
  }
}

/** Where each tensor lies. One that is named must be there, and none may be in two shards. */
function checkShards(
  index: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, WeightSource>,
  origin: Origin,
): ReadonlyMap<string, { readonly shard: WeightSource; readonly shape: readonly number[] }> {
  const places = new Map<string, { shard: WeightSource; file: string; shape: readonly number[] }>();
  for (const [file, shard] of shards) {
    for (const { name, shape } of shard.tensors ?? []) {
      const other = places.get(name)?.file;
      if (other !== undefined) {
        throw fault(
          origin,
          `tensor ${JSON.stringify(name)} is in two shards, ${JSON.stringify(other)} and ${JSON.stringify(file)}; ` +
            'the files are not of one checkpoint: download or save them again',
        );
      }
      places.set(name, { shard, file, shape });
    }
  }
  for (const [name, file] of index) {
    if (places.get(name)?.file === file) continue;
    throw fault(
      origin,
      `tensor ${JSON.stringify(name)} is not in shard ${JSON.stringify(file)}, as the index says; ` +
        'the files are not of one checkpoint: download or save them again',
    );
  }
  return places;
}
