// Puts the parts of an evaluation together: proves that they are of one job and have every image once, with the bytes that
// their manifests say, and makes one set of bounds of them.

import path from 'node:path';
import { fault } from '../../runtime/bytes.ts';
import { UsageError } from '../errors.ts';
import { differences, isIntact } from '../jobs/manifest.ts';
import { brokenFile, manifestsAt } from '../jobs/merge.ts';
import { rangesOf } from '../jobs/ranges.ts';
import { shardAt } from '../jobs/shard.ts';
import {
  BOUNDS_NAME,
  readBounds,
  readTimesteps,
  TERMS_NAME,
  writeBounds,
  writeTermTable,
} from './bounds-file.ts';
import type { Bounds } from './job.ts';
import { type BoundsManifest, readBoundsManifest } from './manifest.ts';
import { type BoundMeans, meansOf } from './result.ts';
import { boundsOf, emptyTerms, setRow } from './terms.ts';

/** What was found, in the words of `--json`. */
export interface MergedBounds {
  readonly samples: number;
  readonly manifests: readonly string[];
  /** Parts to run again; `shard` is null where it cannot be told which had them. */
  readonly missing: readonly { readonly shard: string | null; readonly samples: string }[];
  /** Images that no part could read, by their names. */
  readonly skipped: readonly string[];
  readonly faults: readonly string[];
  /** Null where there are faults, or parts are missing. */
  readonly means: BoundMeans | null;
  /** Files that were written; none where there were faults, or none were asked for. */
  readonly files: readonly string[];
}

interface Source {
  readonly file: string;
  readonly manifest: BoundsManifest;
}

/**
 * @param places folders of evaluations, or manifests
 * @param out a folder, or the path of a .safetensors file
 * @throws RuntimeError('input') where a manifest or a file of bounds is none
 */
export function mergeBounds(places: readonly string[], out: string | null): MergedBounds {
  const files = [...new Set(places.flatMap(manifestsAt).map((file) => path.resolve(file)))];
  const sources = files.map((file) => ({ file, manifest: readBoundsManifest(file, 'input') }));
  const [first] = sources;
  if (first === undefined) throw new UsageError('name the folders of the shards');
  const count = countOf(first);
  const seen = new Map<number, string>();
  const faults = [
    ...sources.flatMap((other) => jobFaults(first, other)),
    ...sources.flatMap(fileFaults),
    ...sources.flatMap(({ file, manifest }) =>
      [...manifest.samples, ...manifest.skipped].flatMap(({ sample }) => {
        const before = seen.get(sample);
        seen.set(sample, file);
        if (before !== undefined) return [`image ${sample} is there twice: by ${before} and ${file}`];
        return sample < count ? [] : [`image ${sample} of ${file} is there, and the job has ${count}`];
      }),
    ),
  ];
  const all = Array.from({ length: count }, (_, place) => place);
  const missing = missingParts(
    all.filter((place) => !seen.has(place)),
    count,
    sources,
  );
  const skipped = sources.flatMap(({ manifest }) => manifest.skipped.map(({ name }) => name));
  const samples = sources.reduce((sum, { manifest }) => sum + manifest.samples.length, 0);
  const found = { samples, manifests: files, missing, skipped, faults };
  if (faults.length > 0 || missing.length > 0) return { ...found, means: null, files: [] };
  const { bounds, timesteps } = joined(sources);
  return { ...found, means: meansOf(bounds), files: out === null ? [] : written(out, bounds, timesteps) };
}

/** The most images that a job may have: more are no job of this machine's. */
const MOST_IMAGES = 2 ** 24;

function countOf({ file, manifest }: Source): number {
  const count = Number(manifest.job.samples);
  if (Number.isInteger(count) && count >= 0 && count <= MOST_IMAGES) return count;
  throw fault(
    { kind: 'input', label: file },
    `job.samples is ${manifest.job.samples}, expected a whole number up to ${MOST_IMAGES}`,
  );
}

function jobFaults(first: Source, other: Source): readonly string[] {
  const lines = [
    ...differences(first.manifest.recipe, other.manifest.recipe),
    ...differences(first.manifest.job, other.manifest.job),
  ];
  return lines.map(
    (line) =>
      `${other.file} is of another job than ${first.file}: ${line.replace('there ', 'first ').replace('here ', 'then ')}`,
  );
}

function fileFaults({ file, manifest }: Source): readonly string[] {
  const folder = path.dirname(file);
  return manifest.files.filter((one) => !isIntact(folder, one)).map((one) => brokenFile(folder, one.file));
}

/** What is missing, by the shards that should have it. */
function missingParts(
  places: readonly number[],
  count: number,
  sources: readonly Source[],
): MergedBounds['missing'] {
  if (places.length === 0) return [];
  const counts = [...new Set(sources.map(({ manifest }) => manifest.shard.count))];
  const [shards] = counts;
  if (counts.length !== 1 || shards === undefined || shards === 1)
    return [{ shard: null, samples: rangesOf(places) }];
  const parts = new Map<number, number[]>();
  for (const place of places) {
    const index = shardAt(place, shards, count);
    parts.set(index, [...(parts.get(index) ?? []), place]);
  }
  return [...parts].map(([index, some]) => ({ shard: `${index}/${shards}`, samples: rangesOf(some) }));
}

/** The bounds of all parts, in the order of the data. */
function joined(sources: readonly Source[]): {
  readonly bounds: Bounds;
  readonly timesteps: readonly number[];
} {
  const files = sources.map(({ file, manifest }) => {
    const own = manifest.files.find(({ file: name }) => name.endsWith('.safetensors'))?.file ?? BOUNDS_NAME;
    return { manifest, place: path.join(path.dirname(file), own) };
  });
  const timesteps = readTimesteps(files[0]!.place);
  const images = sources.flatMap(({ manifest }) => manifest.samples.map(({ sample }) => sample));
  const order = images.toSorted((a, b) => a - b);
  const rows = new Map(order.map((sample, row) => [sample, row]));
  const terms = emptyTerms(order.length, timesteps.length);
  for (const { manifest, place } of files) {
    const bounds = readBounds(place, manifest.samples.length, timesteps.length, 'input');
    for (const [k, { sample }] of manifest.samples.entries()) setRow(terms, rows.get(sample)!, bounds, k);
  }
  return {
    bounds: boundsOf(
      terms,
      order.map((_, row) => row),
    ),
    timesteps,
  };
}

function written(out: string, bounds: Bounds, timesteps: readonly number[]): readonly string[] {
  const isFile = /\.safetensors$/i.test(out);
  const folder = isFile ? path.dirname(out) : out;
  const names = [
    writeBounds(folder, isFile ? path.basename(out) : BOUNDS_NAME, bounds, timesteps),
    ...(isFile || bounds.total_bpd.length === 0
      ? []
      : [writeTermTable(folder, TERMS_NAME, bounds, timesteps)]),
  ];
  return names.map(({ file }) => path.join(folder, file));
}
