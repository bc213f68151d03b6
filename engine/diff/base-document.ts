// The document of `unetc diff --base`: every graph that a branch changes, each with a diff of its own. From it
// docs/diff-base.schema.json is generated. Within a version fields are only added.

import { z } from 'zod';
import { SEVERITIES } from '../../compiler/diff/rules.ts';
import { diffDocument, schemaText } from './document.ts';

export const BASE_VERSION = 1;

const count = z.int().min(0);
const path = z.string().describe('From the top of the repository.');

export const GRAPH_STATES = ['changed', 'renamed', 'added', 'deleted', 'mended', 'bad'] as const;

const graph = z.object({
  path: path.describe('Path of the graph now, or the last one of a graph that is gone.'),
  before: path.nullable().describe('Its path at the base; null where the base does not have it.'),
  state: z
    .enum(GRAPH_STATES)
    .describe('mended: the base has a file there that is no valid graph. bad: it is no valid graph now.'),
  diff: diffDocument.nullable().describe('What changed; null for a bad graph.'),
  diagnostics: z
    .array(
      z.object({
        severity: z.enum(['error', 'warning']),
        code: z.string(),
        pointer: z.string(),
        message: z.string(),
        position: z.object({ line: z.int().min(1), column: z.int().min(1) }).nullable(),
      }),
    )
    .describe('The faults of a bad graph.'),
});

export const baseDocument = z
  .object({
    format: z.literal('unetc-diff-base'),
    version: z.literal(BASE_VERSION).describe('Of this document. Within a version fields are only added.'),
    base: z.object({
      ref: z.string().describe('The base as it was named.'),
      commit: z.string().describe('The last commit that the base and HEAD have in common.'),
    }),
    patterns: z.array(z.string()).describe('Which files were looked at, as patterns of git.'),
    fail_on: z.enum([...SEVERITIES, 'never']).describe('The least severity that fails.'),
    summary: z.object({
      graphs: count.describe('Graphs that differ from the base.'),
      breaking: count,
      dangerous: count,
      info: count,
      accepted: count.describe('Findings that were accepted; they are counted here alone.'),
      failing: count.describe(
        'Findings at or above fail_on that were not accepted; above 0 the command exits 1.',
      ),
      bad: count.describe('Graphs that are not valid; above 0 the command exits 3, whatever fail_on says.'),
    }),
    graphs: z.array(graph),
    left_out: z
      .array(z.object({ path, what: z.string() }))
      .describe('Changed files that the patterns name and that are no graphs, with what they are.'),
    error: z.unknown().optional().describe('Of the command, where it failed: kind, exit, message.'),
  })
  .describe('What unetc diff --base found in the graphs that a branch changes.');

export type BaseDocument = z.infer<typeof baseDocument>;
export type BaseGraph = BaseDocument['graphs'][number];

/** The text of docs/diff-base.schema.json. */
export function baseSchemaText(): string {
  return schemaText('unetc diff --base', baseDocument);
}
