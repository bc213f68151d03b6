// Chains on their way, in a file: x, what else the next step reads, and where each chain stands, under the hash of the
// job that they belong to.

import { z } from 'zod';
import { bytesInMemory, type Origin } from '../../runtime/bytes.ts';
import { readFile, writeFile } from '../../runtime/host/node/files.ts';
import type { ChainState } from '../../runtime/sampler/chain.ts';
import { asFloat32, readHeader, readTensors } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';

export interface StoppedChain {
  readonly seed: number;
  readonly state: ChainState;
}

/** In the metadata, as JSON. Index -1 has no step to come: its image was not written yet. */
const placesSchema = z.array(z.strictObject({ seed: z.int().min(0), index: z.int().min(-1) }));

/** @param key of the job: chains of another are never gone on with */
export function writeChains(file: string, chains: readonly StoppedChain[], key: string): void {
  const tensors = chains.flatMap(({ seed, state: { x, kept, frames } }) => [
    [`${seed}.x`, { shape: [x.length], data: x }] as const,
    ...(kept === null ? [] : [[`${seed}.guess`, { shape: [kept.length], data: kept }] as const]),
    ...frames.map((frame, i) => [`${seed}.frame.${i}`, { shape: [frame.length], data: frame }] as const),
  ]);
  const places = chains.map(({ seed, state }) => ({ seed, index: state.index }));
  writeFile(file, writeTensors(new Map(tensors), { key, places: JSON.stringify(places) }));
}

/** The chains of a file by seed; none where they are of another job. */
export function readChains(file: string, key: string): ReadonlyMap<number, ChainState> {
  const origin: Origin = { kind: 'output', label: file };
  const bytes = readFile(origin);
  const { metadata } = readHeader(bytesInMemory(bytes, origin), origin);
  if (metadata.get('key') !== key) return new Map();
  const tensors = readTensors(bytes, origin);
  const values = (name: string): Float32Array | null => {
    const tensor = tensors.get(name);
    return tensor === undefined ? null : Float32Array.from(asFloat32(tensor).data);
  };
  const places = placesSchema.parse(JSON.parse(metadata.get('places') ?? ''));
  return new Map(
    places.map(({ seed, index }) => {
      const frames: Float32Array[] = [];
      for (
        let frame = values(`${seed}.frame.0`);
        frame !== null;
        frame = values(`${seed}.frame.${frames.length}`)
      ) {
        frames.push(frame);
      }
      return [seed, { index, x: values(`${seed}.x`)!, kept: values(`${seed}.guess`), frames }];
    }),
  );
}
