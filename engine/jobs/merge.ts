// Puts the parts of a job together: proves that its shards cover every sample once, with the bytes that their manifests
// say, and writes them as the arrays that evaluation scripts read.

import fs from 'node:fs';
import path from 'node:path';
import { listFolder, pathKind, writeLargeFile } from '../../runtime/host/node/files.ts';
import { type TakeTurn, turnsOf } from '../../runtime/host/node/turns.ts';
import { UsageError } from '../errors.ts';
import {
  differences,
  type Entry,
  isIntact,
  isIntactLarge,
  isManifestName,
  type Manifest,
  readManifest,
} from './manifest.ts';
import { type FoundSample, npzOf } from './merged-array.ts';
import { parseNumbers, rangesOf } from './ranges.ts';
import { shardAt } from './shard.ts';

/** A part that is to be run again. */
export interface MissingPart {
  /** The part as `i/n`; null where no shard of the job has these. */
  readonly shard: string | null;
  /** Ranges of seeds. */
  readonly seeds: string;
}

/** What was found, in the words of `--json`. */
export interface MergeResult {
  readonly samples: number;
  readonly manifests: readonly string[];
  readonly missing: readonly MissingPart[];
  readonly faults: readonly string[];
  /** The file that was written; null where there were faults, or none was asked for. */
  readonly out: string | null;
}

/**
 * @param places folders of samples, or manifests
 * @param seeds the seeds that must be there; default: the seeds of the job that the manifests name
 * @param out an .npz file, or a folder to write samples.npz into
 * @throws RuntimeError('input') where a place holds no manifest; the reason of `signal`, with nothing written
 */
export async function mergeShards(
  places: readonly string[],
  seeds: readonly number[] | null,
  out: string | null,
  signal: AbortSignal,
): Promise<MergeResult> {
  const takeTurn = turnsOf(signal);
  const sources = [...new Set(places.flatMap(manifestsAt).map((file) => path.resolve(file)))];
  const manifests = sources.map((source) => ({ source, manifest: readManifest(source, 'input') }));
  const [first] = manifests;
  if (first === undefined) throw new UsageError('name the folders of the shards');
  const faults = manifests.flatMap((other) => recipeFaults(first, other));
  for (const { source, manifest } of manifests) {
    faults.push(...(await fileFaults(path.dirname(source), manifest, takeTurn)));
  }
  faults.push(...strangers(manifests));
  const found = new Map<number, FoundSample>();
  for (const { source, manifest } of manifests) {
    const folder = path.dirname(source);
    for (const [row, entry] of manifest.samples.entries()) {
      await takeTurn();
      const before = found.get(entry.seed);
      if (before !== undefined) {
        faults.push(`sample ${entry.seed} is there twice: by ${before.source} and ${source}`);
      } else if (entry.file === undefined || isThere(folder, entry)) {
        found.set(entry.seed, { entry, manifest, folder, source, row });
      } else {
        faults.push(entryFault(folder, entry));
      }
    }
  }
  const expected = seeds ?? expectedSeeds(manifests.map(({ manifest }) => manifest));
  const missing = missingParts(
    expected,
    found,
    manifests.map(({ manifest }) => manifest),
    seeds,
  );
  const wanted = new Set(expected);
  const extra = [...found.keys()].filter((seed) => !wanted.has(seed));
  if (extra.length > 0) faults.push(`samples ${rangesOf(extra)} are there, and nobody asked for them`);
  const report = { samples: found.size, manifests: sources, missing, faults };
  if (faults.length > 0 || missing.length > 0 || out === null) return { ...report, out: null };
  const file = /\.npz$/i.test(out) ? out : path.join(out, 'samples.npz');
  await writeLargeFile(file, npzOf(expected.map((seed) => found.get(seed)!)), signal);
  return { ...report, out: file };
}

/**
 * The manifests that a folder has, or those of the folders in it; whatever is no folder is for whoever reads it. Throws
 * UsageError where there are none, and RuntimeError('input') for a folder that cannot be read.
 */
export function manifestsAt(place: string): readonly string[] {
  const kind = pathKind(place);
  // a link to nothing is an input that cannot be read
  if (kind === 'missing' && fs.lstatSync(place, { throwIfNoEntry: false }) === undefined) {
    throw new UsageError(`${place}: there is no such file or folder; check the path`);
  }
  if (kind !== 'folder') return [place];
  const names = listFolder({ kind: 'input', label: place });
  const here = names.filter(isManifestName);
  const below = names.filter((name) => /^[^/]+\/[^/]+$/.test(name) && isManifestName(path.basename(name)));
  const found = here.length > 0 ? here : below;
  if (found.length > 0) return found.map((name) => path.join(place, name));
  throw new UsageError(
    `${place}: there is no manifest; name folders that unetc sample or evaluate has ended writing to`,
  );
}

interface Source {
  readonly source: string;
  readonly manifest: Manifest;
}

function recipeFaults(first: Source, other: Source): string[] {
  return differences(first.manifest.recipe, other.manifest.recipe).map(
    (line) =>
      `${other.source} is of another job than ${first.source}: ${line.replace('there ', 'first ').replace('here ', 'then ')}`,
  );
}

/** Faults of files that hold all samples of a manifest. */
async function fileFaults(
  folder: string,
  { files }: Manifest,
  takeTurn: TakeTurn,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const file of files) {
    if (!(await isIntactLarge(folder, file, takeTurn))) faults.push(brokenFile(folder, file.file));
  }
  return faults;
}

function isThere(folder: string, { file, sha256 }: Entry): boolean {
  return file !== undefined && sha256 !== undefined && isIntact(folder, { file, sha256 });
}

function entryFault(folder: string, { seed, file }: Entry): string {
  return `sample ${seed}: ${brokenFile(folder, file ?? '')}`;
}

/** What is wrong with a file that is not as its manifest says. */
export function brokenFile(folder: string, file: string): string {
  const place = path.join(folder, file);
  return pathKind(place) === 'missing'
    ? `${place} is missing`
    : `${place} has other bytes than its manifest says`;
}

/** Pictures that look like samples and that no manifest of their folder knows. */
function strangers(manifests: readonly Source[]): readonly string[] {
  const folders = new Set(manifests.map(({ source }) => path.dirname(source)));
  return [...folders].flatMap((folder) => {
    const known = new Set(
      manifests
        .filter(({ source }) => path.dirname(source) === folder)
        .flatMap(({ manifest }) => manifest.samples.map(({ file }) => file)),
    );
    return listFolder({ kind: 'input', label: folder })
      .filter((name) => /^\d{6,}\.png$/.test(name) && !known.has(name))
      .map((name) => `${path.join(folder, name)} is in no manifest`);
  });
}

/** The seeds of the whole job, in its order; where manifests are of several, of all of them. */
function expectedSeeds(manifests: readonly Manifest[]): readonly number[] {
  const seeds = manifests.flatMap(({ job }) =>
    typeof job.seeds === 'string'
      ? parseNumbers(job.seeds, 'seeds of a manifest')
      : countTo(Number(job.samples)),
  );
  return [...new Set(seeds)];
}

function countTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, k) => k);
}

/** What is missing, by the shards that should have it. */
function missingParts(
  expected: readonly number[],
  found: ReadonlyMap<number, FoundSample>,
  manifests: readonly Manifest[],
  asked: readonly number[] | null,
): readonly MissingPart[] {
  const counts = [...new Set(manifests.map(({ shard }) => shard.count))];
  const [count] = counts;
  const seeds = expected.filter((seed) => !found.has(seed));
  if (seeds.length === 0) return [];
  if (asked !== null || counts.length !== 1 || count === undefined || count === 1) {
    return [{ shard: null, seeds: rangesOf(seeds) }];
  }
  const parts = new Map<number, number[]>();
  expected.forEach((seed, position) => {
    if (found.has(seed)) return;
    const index = shardAt(position, count, expected.length);
    parts.set(index, [...(parts.get(index) ?? []), seed]);
  });
  return [...parts].map(([index, some]) => ({ shard: `${index}/${count}`, seeds: rangesOf(some) }));
}
