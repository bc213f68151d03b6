// A rename map as a file: how a checkpoint of the old graph is read by the new one. a diff writes it, and
// whoever opens a model takes it beside the weights.

import { z } from 'zod';
import type { RenameMap } from '../../compiler/diff/parameters.ts';
import { decodeUtf8, fault } from '../../runtime/bytes.ts';
import { readFile, writeFile } from '../../runtime/host/node/files.ts';
import { schemaFaults } from '../../runtime/schema-faults.ts';

const renameFile = z.strictObject({
  format: z.literal('unetc-rename-map'),
  version: z.literal(1),
  /** Labels of both sides; for those who read the file. */
  from: z.string(),
  to: z.string(),
  /** Names of the old graph and what they are in the new one, where they differ. */
  renames: z.record(z.string(), z.string()),
  /** Parameters that only the new graph has, and that change nothing while they are zero. */
  zeros: z.array(z.string()),
  /** Tensors that only the old graph has. */
  dropped: z.array(z.string()),
});

/** Writes a map. Throws RuntimeError('output'). */
export function writeRenameMap(
  file: string,
  map: RenameMap,
  labels: { readonly a: string; readonly b: string },
): void {
  const document: z.infer<typeof renameFile> = {
    format: 'unetc-rename-map',
    version: 1,
    from: labels.a,
    to: labels.b,
    renames: Object.fromEntries(map.renames),
    zeros: [...map.zeros],
    dropped: [...map.dropped],
  };
  writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
}

/** Reads a map. Throws RuntimeError('weights') where it is none. */
export function readRenameMap(file: string): RenameMap {
  const origin = { kind: 'weights', label: file } as const;
  let json: unknown;
  try {
    json = JSON.parse(decodeUtf8(readFile(origin)) ?? '');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw fault(
      origin,
      `this is no JSON: ${error.message}; write it with unetc diff A B --write-rename-map FILE`,
    );
  }
  const parsed = renameFile.safeParse(json);
  if (!parsed.success) {
    const faults = schemaFaults(parsed.error);
    throw fault(origin, `${faults.join('; ')}; write it with unetc diff A B --write-rename-map FILE`);
  }
  const { renames, zeros, dropped } = parsed.data;
  return { renames: new Map(Object.entries(renames)), zeros, dropped };
}
