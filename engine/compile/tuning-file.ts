// A tuning as a file: what `unetc tune` measured on one adapter, for the target that was compiled for.

import { z } from 'zod';
import type { Tuning } from '../../compiler/schedule/choices/tuning.ts';
import { decodeUtf8, fault } from '../../runtime/bytes.ts';
import { readFile, writeFile } from '../../runtime/host/node/files.ts';
import { schemaFaults } from '../../runtime/schema-faults.ts';

const tuningFileSchema = z.strictObject({
  format: z.literal('unetc-tuning'),
  version: z.literal(1),
  /** The version of unetc whose kernels were measured. */
  unetc: z.string(),
  target: z.string(),
  adapter: z.strictObject({ name: z.string(), driver: z.string() }).readonly(),
  /** Microseconds of one sample, by group and candidate. */
  groups: z.record(
    z.string(),
    z.record(
      z.string().regex(/^(direct|winograd[24]) \d+x\d+$/, 'a candidate is a name such as direct 32x32'),
      z.number().positive(),
    ),
  ),
});

export type TuningFile = Readonly<z.infer<typeof tuningFileSchema>>;

/** Reads a file and checks it whole. Throws RuntimeError('input') with every fault's place. */
export function readTuningFile(file: string): TuningFile {
  const origin = { kind: 'input', label: file } as const;
  const again = 'write it with unetc tune GRAPH -o FILE';
  let json: unknown;
  try {
    json = JSON.parse(decodeUtf8(readFile(origin)) ?? '');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw fault(origin, `this is no JSON: ${error.message}; ${again}`);
  }
  const parsed = tuningFileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw fault(origin, `${schemaFaults(parsed.error).join('; ')}; ${again}`);
}

/** Writes a file that appears whole or not at all; groups in order, so that two files compare line by line. */
export function writeTuningFile(file: string, tuning: Omit<TuningFile, 'format' | 'version'>): void {
  const groups = Object.fromEntries(Object.entries(tuning.groups).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { unetc, target, adapter } = tuning;
  const document: TuningFile = { format: 'unetc-tuning', version: 1, unetc, target, adapter, groups };
  writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
}

/** The candidate of the least time, or undefined for a group without times. */
export function fastestOf(times: Tuning[string] | undefined): string | undefined {
  return Object.entries(times ?? {}).sort(([, a], [, b]) => a - b)[0]?.[0];
}
