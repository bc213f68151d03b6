// Reads weights from wherever a host has them: addresses, files that somebody chose, bytes or tensors in memory. A checkpoint
// in several files is named by its index, or given as all of its files.

import { bytesInMemory, type Origin } from '../../bytes.ts';
import { RuntimeError } from '../../errors.ts';
import type { Tensor } from '../../tensor.ts';
import { openCheckpoint, splitAddress, wholeFile } from '../../weights/checkpoint.ts';
import { hashWeights } from '../../weights/hash.ts';
import { weightsInMemory } from '../../weights/memory.ts';
import { indexOfShards, indexSize, isJsonText, shardNames } from '../../weights/shards.ts';
import type { CheckpointAddress, WeightSource } from '../../weights/source.ts';
import type { Files } from './files.ts';

/** A file of a checkpoint: its address, a Blob (a File has a name), or its bytes. */
export type WeightsFile =
  | string
  | URL
  | (Pick<Blob, 'arrayBuffer'> & { readonly name?: string })
  | ArrayBuffer
  | Uint8Array;

/**
 * Weights: a file that is a checkpoint, or the index of one; all files of one in a list; tensors by name; what was opened
 * before. Behind the `#` of an address stands the state dict or the prefix of names that is meant; `hash:SEED` makes values
 * by a formula.
 */
export type WeightsSource = WeightsFile | readonly WeightsFile[] | ReadonlyMap<string, Tensor> | WeightSource;

/** Shards that are downloaded side by side. */
const AT_ONCE = 4;

/** A file of a checkpoint, in memory. */
interface Loaded {
  readonly address: CheckpointAddress;
  readonly bytes: Uint8Array;
}

/** Throws RuntimeError('weights'), and the signal's reason. */
export async function readWeights(source: WeightsSource, files: Files): Promise<WeightSource> {
  if (source instanceof Map) return weightsInMemory(source);
  if (isOpened(source)) return source;
  if (Array.isArray(source))
    return openTogether(await inTurn(source as readonly WeightsFile[], (one, i) => load(one, files, i)));
  const formula = typeof source === 'string' ? hashWeights(source) : null;
  if (formula !== null) return formula;
  const found = await load(source as WeightsFile, files);
  const origin: Origin = { kind: 'weights', label: found.address.label };
  const index = bytesInMemory(found.bytes, origin);
  const names = isAddress(source) ? shardNames(index, origin) : [];
  if (names.length === 0) return open(found, new Map());
  const { file } = found.address;
  const urls = names.map((name) => besides(file, name));
  const size = indexSize(index);
  if (size !== null) for (const url of urls) files.expect(url, 'weights', size / urls.length);
  const shards = await inTurn(urls, async (url) => files.read(url, 'weights'));
  return open(found, new Map(names.map((name, i) => [name, shards[i]!])));
}

function isAddress(source: unknown): source is string | URL {
  return typeof source === 'string' || source instanceof URL;
}

function isOpened(source: WeightsSource): source is WeightSource {
  return typeof (source as Partial<WeightSource> | null)?.read === 'function';
}

async function load(source: WeightsFile, files: Files, position = 0): Promise<Loaded> {
  if (isAddress(source)) {
    const address = typeof source === 'string' ? splitAddress(source) : addressOfUrl(source);
    return { address, bytes: await files.read(address.file, 'weights') };
  }
  if (source instanceof Uint8Array) return { address: wholeFile(nameless(position)), bytes: source };
  if (source instanceof ArrayBuffer)
    return { address: wholeFile(nameless(position)), bytes: new Uint8Array(source) };
  const name = source.name ?? nameless(position);
  return { address: wholeFile(name), bytes: new Uint8Array(await source.arrayBuffer()) };
}

function nameless(position: number): string {
  return position === 0 ? 'the weights' : `file ${position + 1} of the weights`;
}

/** An URL writes signs of its fragment as `%20`; names in checkpoints have the signs themselves. */
export function addressOfUrl(url: URL): CheckpointAddress {
  const { file, key } = splitAddress(url.href);
  if (key === null) return { label: file, file, key };
  let decoded = key;
  try {
    decoded = decodeURIComponent(key);
  } catch {
    // a percent sign that stands for itself
  }
  return { label: `${file}#${decoded}`, file, key: decoded };
}

/** The address of a shard, beside that of its index, with the query that the index has. */
function besides(index: string, name: string): string {
  const [, folder = '', , query = ''] = /^((?:[^?]*\/)?)([^?/]*)(\?.*)?$/.exec(index) ?? [];
  return `${folder}${name.split('/').map(encodeURIComponent).join('/')}${query}`;
}

function open({ address, bytes }: Loaded, shards: ReadonlyMap<string, Uint8Array>): WeightSource {
  const origin: Origin = { kind: 'weights', label: address.label };
  return openCheckpoint(bytesInMemory(bytes, origin), address, (name) => {
    const shard = shards.get(name);
    const label: Origin = { kind: 'weights', label: name };
    if (shard !== undefined) return bytesInMemory(shard, label);
    throw new RuntimeError(
      'weights',
      `${name}: it is not among the files; give it beside the index that names it`,
    );
  });
}

/** All files of a checkpoint: with their index among them, or without it. */
function openTogether(loaded: readonly Loaded[]): WeightSource {
  const [first] = loaded;
  if (first === undefined)
    throw new RuntimeError('weights', 'the list of weights is empty; give the files of a checkpoint');
  if (loaded.length === 1) return open(first, new Map());
  const named = new Map(loaded.map(({ address, bytes }) => [lastOf(address.file), bytes]));
  const index = loaded.find(({ bytes }) => isJsonText(bytes));
  if (index !== undefined) return open(index, named);
  const all = new Map(
    [...named].map(([name, bytes]) => [name, open({ address: wholeFile(name), bytes }, new Map())]),
  );
  return open(
    { address: wholeFile(`${lastOf(first.address.file)} and the others`), bytes: indexOfShards(all) },
    named,
  );
}

/** The name of a file in its folder. */
function lastOf(address: string): string {
  const name = address.replace(/\?.*/, '').replace(/.*\//, '');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Results in the order of the items, a few of which are worked on at once. */
async function inTurn<T, R>(
  items: readonly T[],
  work: (item: T, position: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!, i);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return results;
}
