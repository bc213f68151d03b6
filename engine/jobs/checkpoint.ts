// Chains on their way, in a file: x, what else the next step reads, and where each chain stands, under the hash of the
// job that they belong to.

import { z } from 'zod';
import { bytesInMemory, type Origin } from '../../runtime/bytes.ts';
import { readFile, writeFile } from '../../runtime/host/node/files.ts';
import type { ChainState } from '../../runtime/sampler/chain.ts';
import { asFloat32, readHeader, readTensors } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { sha256Of, sha256OfValues } from '../digest.ts';
import { OptionError } from '../errors.ts';

export interface StoppedChain {
  readonly seed: number;
  readonly state: ChainState;
}

/** In the metadata, as JSON. Index -1 has no step to come: its image was not written yet. */
const placesSchema = z.array(z.strictObject({ seed: z.int().min(0), index: z.int().min(-1) }));

/** What chains of a job are held to. */
export interface ChainLimits {
  /** Steps of the process: a place is below. */
  readonly steps: number;
  /** Values of an image. */
  readonly length: number;
}

/** @param key of the job: chains of another are never gone on with */
export function writeChains(file: string, chains: readonly StoppedChain[], key: string): void {
  const tensors = chains.flatMap(({ seed, state: { x, kept, frames } }) => [
    [`${seed}.x`, { shape: [x.length], data: x }] as const,
    ...(kept === null ? [] : [[`${seed}.guess`, { shape: [kept.length], data: kept }] as const]),
    ...frames.map((frame, i) => [`${seed}.frame.${i}`, { shape: [frame.length], data: frame }] as const),
  ]);
  const places = JSON.stringify(chains.map(({ seed, state }) => ({ seed, index: state.index })));
  const values = new Map(tensors.map(([name, { data }]) => [name, data]));
  const sha256 = digestOf(places, values);
  writeFile(file, writeTensors(new Map(tensors), { key, places, sha256 }));
}

/**
 * The chains of a file by seed; none where they are of another job. Throws RuntimeError('output') where they are not as
 * they were written, and where they do not fit the job.
 */
export function readChains(file: string, key: string, limits: ChainLimits): ReadonlyMap<number, ChainState> {
  const origin: Origin = { kind: 'output', label: file };
  const bytes = readFile(origin);
  const { metadata } = readHeader(bytesInMemory(bytes, origin), origin);
  if (metadata.get('key') !== key) return new Map();
  const values = new Map(
    [...readTensors(bytes, origin)].map(([name, tensor]) => [
      name,
      Float32Array.from(asFloat32(tensor).data),
    ]),
  );
  const said = metadata.get('places') ?? '';
  const fail = (what: string): never => {
    throw new OptionError(
      'output',
      (option) =>
        `${file}: the chains that were stopped are damaged: ${what}; begin anew with ${option('resume', false)}`,
    );
  };
  const places = placesSchema.safeParse(parsed(said)).data ?? fail('places do not say which there are');
  if (metadata.get('sha256') !== digestOf(said, values)) fail('their values are not those that were saved');
  return new Map(
    places.map(({ seed, index }) => {
      if (index >= limits.steps) fail(`seed ${seed} is at step ${index} of ${limits.steps}`);
      const frames: Float32Array[] = [];
      for (
        let frame = values.get(`${seed}.frame.0`);
        frame !== undefined;
        frame = values.get(`${seed}.frame.${frames.length}`)
      ) {
        frames.push(frame);
      }
      const x = values.get(`${seed}.x`) ?? fail(`seed ${seed} has no x`);
      const kept = values.get(`${seed}.guess`) ?? null;
      for (const one of [x, ...(kept ? [kept] : []), ...frames]) {
        if (one.length !== limits.length)
          fail(`seed ${seed} has ${one.length} values where an image has ${limits.length}`);
      }
      return [seed, { index, x, kept, frames }];
    }),
  );
}

/** A checksum of all that a file of chains says. */
function digestOf(places: string, values: ReadonlyMap<string, Float32Array>): string {
  const lines = [...values].map(([name, data]) => `${name} ${sha256OfValues(data)}`).sort();
  return sha256Of([places, ...lines].join('\n'));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
