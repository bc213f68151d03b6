// What an evaluation found: the bounds of its images with their means, and the files that keep them.

import path from 'node:path';
import { type Identity, nameOfShard } from '../jobs/manifest.ts';
import { BOUNDS_NAME, TERMS_NAME, writeBounds, writeTermTable } from './bounds-file.ts';
import type { Computed, Part } from './compute.ts';
import type { Bounds, EvaluatedImage, EvaluationJob } from './job.ts';
import { BOUNDS_FORMAT, writeBoundsManifest } from './manifest.ts';
import { boundsOf, mean, standardError } from './terms.ts';

/** Means over images, in bits per element but for the squared errors. */
export interface BoundMeans {
  readonly total_bpd: number;
  /** How far `total_bpd` may be from that of many more images: one standard deviation. */
  readonly total_bpd_error: number;
  readonly prior_bpd: number;
  readonly xstart_mse: number;
  readonly mse: number;
}

export interface Evaluation {
  readonly name: string;
  readonly adapter: string;
  readonly data: string;
  /** Images, in the order of the bounds. */
  readonly images: readonly EvaluatedImage[];
  /** How many of them were there from a run that was stopped. */
  readonly resumed: number;
  /** Images that cannot be read: their places and names. */
  readonly skipped: readonly EvaluatedImage[];
  readonly shard: { readonly index: number; readonly count: number };
  /** Timesteps of training, the noisiest first: the columns of the terms. */
  readonly timesteps: readonly number[];
  readonly batch: number;
  readonly means: BoundMeans;
  readonly bounds: Bounds;
  /** Files that were written, the manifest last; none without a folder. */
  readonly files: readonly string[];
  readonly seconds: number;
  readonly terms_per_second: number;
  /** The part of that time in which the adapter had no forward pass. */
  readonly idle: number;
}

interface Ran {
  readonly job: EvaluationJob;
  readonly name: string;
  readonly adapter: string;
  readonly seconds: number;
  readonly idle: number;
}

export function resultOf(part: Part, done: Computed, { job, name, adapter, seconds, idle }: Ran): Evaluation {
  const { data, range, terms, process, face } = part;
  const imageOf = (row: number): EvaluatedImage => {
    const sample = range[0] + row;
    const label = face.num_classes === null ? null : data.label(sample);
    return { sample, name: nameWithin(data, sample), ...(label === null ? {} : { label }) };
  };
  const bounds = boundsOf(terms, done.whole);
  const { index, count } = job.shard;
  return {
    ...{ name, adapter, data: data.path, images: done.whole.map(imageOf), resumed: done.resumed },
    skipped: done.skipped.map(imageOf),
    shard: { index, count },
    timesteps: process.timestep_map.toReversed(),
    batch: face.batch,
    means: meansOf(bounds),
    bounds,
    files: [],
    ...{ seconds, terms_per_second: done.computed / seconds, idle },
  };
}

/** What the data calls an image, without where the data lies: shards that read it elsewhere call it the same. */
function nameWithin({ path: place, name }: Part['data'], sample: number): string {
  const whole = name(sample);
  return whole.startsWith(place) ? whole.slice(place.length).replace(/^(\/|\\|: )/, '') : whole;
}

export function meansOf({ total_bpd, prior_bpd, xstart_mse, mse }: Bounds): BoundMeans {
  return {
    total_bpd: mean(total_bpd),
    total_bpd_error: standardError(total_bpd),
    prior_bpd: mean(prior_bpd),
    xstart_mse: mean(xstart_mse),
    mse: mean(mse),
  };
}

/** Writes what was found into the job's folder, the manifest last. */
export function keepResult(result: Evaluation, out: string, identity: Identity): Evaluation {
  const { bounds, timesteps, shard, images, skipped, adapter } = result;
  const files = [
    writeBounds(out, nameOfShard(BOUNDS_NAME, shard), bounds, timesteps),
    ...(images.length === 0 ? [] : [writeTermTable(out, nameOfShard(TERMS_NAME, shard), bounds, timesteps)]),
  ];
  const manifest = writeBoundsManifest(out, {
    ...{ format: BOUNDS_FORMAT, version: 1, ...identity, shard, adapter },
    samples: images.map((image, k) => ({
      ...image,
      total_bpd: bounds.total_bpd[k]!,
      prior_bpd: bounds.prior_bpd[k]!,
    })),
    skipped: skipped.map(({ sample, name }) => ({ sample, name })),
    files,
  });
  return { ...result, files: [...files.map(({ file }) => path.join(out, file)), manifest] };
}
