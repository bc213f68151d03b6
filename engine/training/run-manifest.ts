// The manifest of a run's folder: what decides the run's bytes, and which checkpoints are whole. A checkpoint is one when it
// stands here, with all of its files; this file is written last.

import path from 'node:path';
import { z } from 'zod';
import { decodeUtf8, fault, type Origin } from '../../runtime/bytes.ts';
import { pathKind, readFile, writeFile } from '../../runtime/host/node/files.ts';
import { schemaFaults } from '../../runtime/schema-faults.ts';
import { sha256Of } from '../digest.ts';
import { isInside } from '../jobs/inside.ts';

export const RUN_MANIFEST = 'manifest.json';
const FORMAT = 'unetc-training';

const setting = z.union([z.string(), z.number(), z.null()]);
const fileSchema = z.strictObject({
  file: z.string().refine(isInside, 'it leads out of the folder'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const checkpointSchema = z.strictObject({
  /** The number of the step that a run goes on with from here. */
  step: z.int().min(0),
  /** Whether a signal asked for it: the next checkpoint takes its place. */
  interim: z.boolean(),
  files: z.array(fileSchema),
});

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  recipe: z.record(z.string(), setting),
  /** The oldest first. */
  checkpoints: z.array(checkpointSchema),
});

export type SavedCheckpoint = z.infer<typeof checkpointSchema>;
export type RunRecipe = z.infer<typeof manifestSchema>['recipe'];
export type RunManifest = Pick<z.infer<typeof manifestSchema>, 'recipe' | 'checkpoints'>;

/** Tells the files of a run from those of others. */
export function runOf(recipe: RunRecipe): string {
  return sha256Of(JSON.stringify(recipe));
}

/** The manifest of a folder, or null where it has none. Throws RuntimeError('output') where it is another job's or damaged. */
export function readRunManifest(out: string): RunManifest | null {
  const file = path.join(out, RUN_MANIFEST);
  if (pathKind(file) === 'missing') return null;
  const origin: Origin = { kind: 'output', label: file };
  const found = manifestSchema.safeParse(parsed(decodeUtf8(readFile(origin)) ?? ''));
  if (found.success) return found.data;
  const [first] = schemaFaults(found.error);
  throw fault(origin, `this is no manifest of a run of training (${first}); name another folder`);
}

export function writeRunManifest(out: string, { recipe, checkpoints }: RunManifest): void {
  const manifest = { format: FORMAT, version: 1, recipe, checkpoints };
  writeFile(path.join(out, RUN_MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
