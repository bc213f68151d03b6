// The manifest of an evaluation that has ended: what was asked for, each image with its bound, and the files with their
// hashes. A shard has one of its own; `merge` reads them.

import path from 'node:path';
import { z } from 'zod';
import { decodeUtf8, fault, type Origin } from '../../runtime/bytes.ts';
import { readFile, writeFile } from '../../runtime/host/node/files.ts';
import { schemaFaults } from '../../runtime/schema-faults.ts';
import { isInside, placeInside } from '../jobs/inside.ts';
import { identitySchema, manifestName } from '../jobs/manifest.ts';

export const BOUNDS_FORMAT = 'unetc-bounds';

const inside = z.string().refine(isInside, 'it leads out of the folder');

const imageSchema = z.strictObject({
  /** Its place in the data, and what the data calls it. */
  sample: z.int().min(0),
  name: z.string(),
  label: z.int().min(0).optional(),
  total_bpd: z.number(),
  prior_bpd: z.number(),
});

const manifestSchema = z.strictObject({
  format: z.literal(BOUNDS_FORMAT),
  version: z.literal(1),
  ...identitySchema.shape,
  shard: z.strictObject({ index: z.int().min(0), count: z.int().min(1) }),
  adapter: z.string(),
  samples: z.array(imageSchema),
  /** Images of this part that cannot be read. */
  skipped: z.array(z.strictObject({ sample: z.int().min(0), name: z.string() })),
  files: z.array(z.strictObject({ file: inside, sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

export type BoundsManifest = z.infer<typeof manifestSchema>;

export function writeBoundsManifest(folder: string, manifest: BoundsManifest): string {
  const file = placeInside(folder, manifestName(manifest.shard));
  const { samples, ...rest } = manifest;
  const lines = samples.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n');
  const text = JSON.stringify({ ...rest, samples: [] }, null, 1);
  // an image a line
  writeFile(file, `${text.replace(/"samples": \[\]/, () => `"samples": [\n${lines}\n ]`)}\n`);
  return path.normalize(file);
}

/** Throws a RuntimeError of `kind` where the file is no manifest of an evaluation. */
export function readBoundsManifest(file: string, kind: Origin['kind']): BoundsManifest {
  const origin: Origin = { kind, label: file };
  const found = manifestSchema.safeParse(parsed(decodeUtf8(readFile(origin)) ?? ''));
  if (found.success) return found.data;
  const [first] = schemaFaults(found.error);
  throw fault(origin, `this is no manifest of an evaluation: ${first}`);
}

/** Whether a file says that it is a manifest of an evaluation; what else is wrong with it, reading it says. */
export function isBoundsManifest(file: string): boolean {
  const value = parsed(decodeUtf8(readFile({ kind: 'input', label: file })) ?? '');
  return typeof value === 'object' && value !== null && 'format' in value && value.format === BOUNDS_FORMAT;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
