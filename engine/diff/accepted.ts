// Findings that a person has accepted: a JSON file of graphs by their path from the file's folder, each with its findings by
// fingerprint, each of these with its reason. What is accepted of one graph is not accepted of another.

import path from 'node:path';
import { z } from 'zod';
import { decodeUtf8 } from '../../runtime/bytes.ts';
import { pathKind, readFile, writeFile } from '../../runtime/host/node/files.ts';
import { schemaFaults } from '../../runtime/schema-faults.ts';
import { OptionError } from '../errors.ts';
import type { FoundFinding } from './document.ts';
import { realFile, realFolder } from './real-file.ts';

export const ACCEPTED_FORMAT = 'unetc-accepted';

const entries = z.record(
  z.string().regex(/^[0-9a-f]{12}$/, 'a key is a fingerprint of 12 hexadecimal digits'),
  z.strictObject({
    reason: z.string().min(1, 'a reason is a text of at least one character'),
    /** For those who read the file; nothing is decided by them. */
    rule: z.string().optional(),
    place: z.string().optional(),
    message: z.string().optional(),
  }),
);

const acceptedFile = z.strictObject({
  format: z.literal(ACCEPTED_FORMAT),
  version: z.literal(2),
  graphs: z.record(z.string().min(1), entries),
});

/** What unetc 0.1.0 wrote: of which graph an entry is, it does not say. */
const formerFile = z.strictObject({ version: z.literal(1), accepted: entries });

/** Findings by fingerprint. */
export type Accepted = z.infer<typeof entries>;

/** What a file holds, by graph. */
export interface AcceptedFile {
  readonly file: string;
  readonly graphs: ReadonlyMap<string, Accepted>;
}

/** The findings of one graph that are to be written. */
export interface AcceptedGraph {
  /** The graph's file, and the one that it was called before; absolute paths. */
  readonly path: string;
  readonly former: string | null;
  readonly findings: readonly FoundFinding[];
}

/** The accepted findings of a file. Throws RuntimeError('input') where it cannot be read. */
export function readAccepted(file: string): AcceptedFile {
  const json = readJson(file);
  if (formerFile.safeParse(json).success) {
    const why =
      'version 1 does not say of which graph each entry is; write it anew, which keeps the reasons of what still occurs';
    throw new OptionError('input', (option) => `${file}: ${why}, with ${option('write_accepted')}`);
  }
  const parsed = acceptedFile.safeParse(json);
  if (parsed.success) return { file, graphs: new Map(Object.entries(parsed.data.graphs)) };
  throw unusable(file, schemaFaults(parsed.error).join('; '));
}

/** What was accepted of the graph at `path`, or of it as `former`: a graph keeps its entries when it is renamed. */
export function acceptedOf({ file, graphs }: AcceptedFile, path: string, former: string | null): Accepted {
  return {
    ...(former === null ? {} : graphs.get(keyOf(file, former))),
    ...graphs.get(keyOf(file, path)),
  };
}

/**
 * Accepts the findings for which `fails` is true, graph by graph. A finding that the file accepts already keeps its reason;
 * one of these graphs that no longer occurs is taken out; entries of other graphs stay.
 */
export function writeAccepted(
  file: string,
  graphs: readonly AcceptedGraph[],
  fails: (found: FoundFinding) => boolean,
  reason: string,
): void {
  const { before, former } = readForWriting(file);
  const after = new Map(before.graphs);
  for (const { path, former: old, findings } of graphs) {
    const had: Accepted = { ...former, ...acceptedOf(before, path, old) };
    const kept = findings.flatMap((found) => {
      const { fingerprint, rule, place, message } = found;
      const said = had[fingerprint]?.reason;
      if (said === undefined && !fails(found)) return [];
      return [[fingerprint, { reason: said ?? reason, rule, place, message }] as const];
    });
    if (old !== null) after.delete(keyOf(file, old));
    if (kept.length === 0) after.delete(keyOf(file, path));
    else after.set(keyOf(file, path), Object.fromEntries(sorted(kept)));
  }
  const document = { format: ACCEPTED_FORMAT, version: 2, graphs: Object.fromEntries(sorted([...after])) };
  writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
}

/** What is there to be added to; a file of version 1 gives its reasons to whichever graph still has the finding. */
function readForWriting(file: string): { readonly before: AcceptedFile; readonly former: Accepted } {
  const nothing = { before: { file, graphs: new Map<string, Accepted>() }, former: {} };
  if (pathKind(file) === 'missing') return nothing;
  const old = formerFile.safeParse(readJson(file));
  return old.success ? { ...nothing, former: old.data.accepted } : { before: readAccepted(file), former: {} };
}

/** A graph's path from the folder of the file, with `/`: the same wherever the repository lies. */
function keyOf(file: string, graph: string): string {
  const folder = realFolder(path.dirname(path.resolve(file)));
  return path.relative(folder, realFile(graph)).split(path.sep).join('/');
}

function sorted<T>(list: readonly (readonly [string, T])[]): readonly (readonly [string, T])[] {
  return list.toSorted(([x], [y]) => (x < y ? -1 : 1));
}

function readJson(file: string): unknown {
  const text = decodeUtf8(readFile({ kind: 'input', label: file }));
  try {
    return JSON.parse(text ?? '');
  } catch (error) {
    throw unusable(file, `this is no JSON: ${(error as Error).message}`);
  }
}

function unusable(file: string, why: string): OptionError {
  return new OptionError('input', (option) => `${file}: ${why}; write it with ${option('write_accepted')}`);
}
