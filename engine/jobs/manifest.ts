// The manifest of a job's folder: what was asked for, and every file with its hash. A shard has one of its own, so that
// shards may share a folder; `merge` reads them.

import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { decodeUtf8, fault, type Origin } from '../../runtime/bytes.ts';
import { listFolder, pathKind, readFile, writeFile } from '../../runtime/host/node/files.ts';
import { guarded } from '../../runtime/host/node/system-faults.ts';
import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import { schemaFaults } from '../../runtime/schema-faults.ts';
import { fileDigest, sha256Of } from '../digest.ts';
import { isInside, placeInside } from './inside.ts';
import type { Shard } from './shard.ts';
import { shardName } from './shard.ts';

export const MANIFEST_FORMAT = 'unetc-samples';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const setting = z.union([z.string(), z.number(), z.null()]);
/** A file below the folder, never out of it. */
const inside = z.string().refine(isInside, 'it leads out of the folder');

/** What makes samples what they are, flat, so that two can be told apart by their keys. */
const recipeSchema = z.record(z.string(), setting);

const fileSchema = z.strictObject({ file: inside, sha256: hash });

export const entrySchema = z.strictObject({
  seed: z.int().min(0),
  label: z.int().min(0).optional(),
  /** The low-resolution image that it was drawn from: a file, and of a file of many its place there. */
  low_res: z.string().optional(),
  /** The sample's own file; absent where one file holds all, in the order of the entries. */
  file: inside.optional(),
  sha256: hash.optional(),
  trajectory: fileSchema.optional(),
});

/** What a job is told by: how its samples are made, and which there are. */
export const identitySchema = z.strictObject({ recipe: recipeSchema, job: recipeSchema });

export const manifestSchema = z.strictObject({
  format: z.literal(MANIFEST_FORMAT),
  version: z.literal(1),
  ...identitySchema.shape,
  shard: z.strictObject({ index: z.int().min(0), count: z.int().min(1) }),
  adapter: z.string(),
  samples: z.array(entrySchema),
  /** Files that are made of all samples. */
  files: z.array(fileSchema),
});

export type Recipe = z.infer<typeof recipeSchema>;
export type Identity = z.infer<typeof identitySchema>;
export type Entry = z.infer<typeof entrySchema>;
export type FileHash = z.infer<typeof fileSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** The name of a file of a shard: `contact-sheet.png`, and of part 1 of 3 `contact-sheet-1-of-3.png`. */
export function nameOfShard(name: string, shard: Pick<Shard, 'index' | 'count'>): string {
  const part = shardName(shard);
  const { name: stem, ext } = path.parse(name);
  return part === null ? name : `${stem}-${part}${ext}`;
}

export const manifestName = (shard: Pick<Shard, 'index' | 'count'>): string =>
  nameOfShard('manifest.json', shard);

export function writeManifest(folder: string, manifest: Manifest): string {
  const file = placeInside(folder, manifestName(manifest.shard));
  const samples = manifest.samples.map((entry) => `  ${JSON.stringify(inOrder(entry))}`).join(',\n');
  const { samples: _, ...rest } = manifest;
  const text = JSON.stringify({ ...rest, samples: [] }, null, 1);
  // an entry a line: fifty thousand of them should still be read by eye
  writeFile(file, `${text.replace(/"samples": \[\]/, () => `"samples": [\n${samples}\n ]`)}\n`);
  return file;
}

/** Keys in the schema's order: a run that finds its samples there writes the bytes of the one that made them. */
function inOrder({ seed, label, low_res, file, sha256, trajectory }: Entry): Entry {
  return { seed, label, low_res, file, sha256, trajectory };
}

/** Throws a RuntimeError of `kind` where the file is no manifest of this version. */
export function readManifest(file: string, kind: Origin['kind']): Manifest {
  const origin: Origin = { kind, label: file };
  const text = decodeUtf8(readFile(origin));
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch (error) {
    throw fault(origin, 'this is no JSON; it was not written by unetc sample', error);
  }
  const found = manifestSchema.safeParse(value);
  if (found.success) return found.data;
  const [first] = schemaFaults(found.error);
  throw fault(origin, `this is no manifest of samples: ${first}`);
}

/** The manifests in a folder, sorted by name. Throws a RuntimeError of `kind` where it cannot be read. */
export function listManifests(folder: string, kind: Origin['kind']): readonly string[] {
  if (pathKind(folder) !== 'folder') return [];
  return listFolder({ kind, label: folder })
    .filter(isManifestName)
    .map((name) => path.join(folder, name));
}

/** Whether a file of a folder is called as a manifest, that of a shard included. */
export function isManifestName(name: string): boolean {
  return /^manifest(-\d+-of-\d+)?\.json$/.test(name);
}

/**
 * Whether a file is there, with the bytes that its hash is of. Throws RuntimeError('output') where that is not to be found
 * out: a file that cannot be looked at is not one that was changed.
 */
export function isIntact(folder: string, { file, sha256 }: FileHash): boolean {
  const place = placeInside(folder, file);
  return isFile(place) && sha256Of(readFile({ kind: 'output', label: place })) === sha256;
}

function isFile(place: string): boolean {
  const origin: Origin = { kind: 'output', label: place };
  return guarded(origin, () => fs.statSync(place, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** The same of a file that may hold all samples. */
export async function isIntactLarge(
  folder: string,
  { file, sha256 }: FileHash,
  takeTurn: TakeTurn,
): Promise<boolean> {
  const place = placeInside(folder, file);
  return isFile(place) && (await fileDigest({ kind: 'output', label: place }, takeTurn)) === sha256;
}

/**
 * What differs between two records, a line each, of the keys that are asked for. What a record of an earlier version does
 * not have, it was made without.
 */
export function differences(found: Recipe, asked: Recipe): readonly string[] {
  return Object.keys(asked)
    .filter((key) => (found[key] ?? null) !== asked[key])
    .map((key) => `${key}: there ${shown(found[key])}, here ${shown(asked[key])}`);
}

function shown(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === '') return 'none';
  const text = String(value);
  return /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 12)}…` : text;
}
