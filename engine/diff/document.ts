// The document of `unetc diff --format json`: its fields, from which docs/diff.schema.json is generated. Within a version
// fields are only added.

import { z } from 'zod';
import { DIFF_RULES, FAMILIES, type RuleId, SEVERITIES } from '../../compiler/diff/rules.ts';

export const DIFF_VERSION = 1;

const count = z.int().min(0);
const text = z.string();
const orNull = <T extends z.ZodType>(schema: T) => schema.nullable();

const fingerprint = text
  .regex(/^[0-9a-f]{12}$/)
  .describe('Key in a file of accepted findings; the same in every run.');

const cost = z
  .object({
    params: count.describe('Scalars in all parameters.'),
    macs: orNull(count).describe(
      'Multiply-accumulates of one image; null where the image size is not known.',
    ),
    activation_bytes: orNull(count).describe(
      'Bytes of all activation buffers; null where nothing was compiled.',
    ),
    weight_bytes: count.describe('Bytes of the parameters.'),
    dispatches: orNull(count).describe('Dispatches of a forward pass; null where nothing was compiled.'),
  })
  .describe('What a side costs.');

const step = z
  .object({
    bytes: count.describe('All that a step takes on the device.'),
    state_bytes: count.describe('Parameters with their moments and moving averages.'),
    activation_bytes: count.describe(
      'Activations, gradients, and weights that are packed just before their use.',
    ),
    flops: count.describe('Floating-point operations.'),
    recomputed_flops: count.describe('Those of them that compute blocks again.'),
    recomputed_blocks: count,
  })
  .describe('What a step of training takes, of samples that are computed at once.');

const carried = z.object({
  from: orNull(text).describe('Its name in A.'),
  to: orNull(text).describe('Its name in B.'),
  is: z
    .enum(['renamed', 'zeros', 'new', 'reshaped', 'gone'])
    .describe('zeros: new in B, and inert while it is zero. new, reshaped: runs of A have no value for it.'),
});

const training = z
  .object({
    batch: count.describe('Samples that are computed at once.'),
    precision: z.enum(['f32', 'f16']).describe('How activations and their gradients are stored.'),
    limit: orNull(count).describe('The most bytes that a step may take.'),
    fits: orNull(count).describe('Where B takes more than the limit, a smaller batch that does not.'),
    a: step,
    b: step,
    kept: count.describe('Parameters of B that runs of A have under the same name, in the same shape.'),
    others: z.array(carried).describe('What becomes of the others, of their moving averages and moments.'),
  })
  .describe('What training takes, and what becomes of runs of A.');

const side = z
  .object({
    label: text.describe('The side as it was named.'),
    kind: z
      .enum(['graph', 'bundle', 'checkpoint', 'none'])
      .describe('none: there is no such graph on this side.'),
    name: orNull(text).describe("The model's name; null where none is known."),
  })
  .describe('One side.');

const finding = z.object({
  rule: z.enum(Object.keys(DIFF_RULES) as RuleId[]).describe('Stable id of the rule.'),
  family: z.enum(FAMILIES),
  severity: z.enum(SEVERITIES),
  change: z.enum(['+', '-', '~']).describe('New, gone, or other than it was.'),
  place: text.describe('Role of a block or layer, such as down[2].res[0], or a part of the model.'),
  path: z
    .object({ a: orNull(text), b: orNull(text) })
    .describe('Dotted path of its parameters on both sides; null where it has none.'),
  pointer: text.describe("JSON pointer into the new graph's file; empty for the whole file."),
  position: orNull(z.object({ line: z.int().min(1), column: z.int().min(1) })).describe(
    'Where that is in the file.',
  ),
  before: orNull(text),
  after: orNull(text),
  message: text.describe('What happened, as one sentence without the place.'),
  next: text.describe('What a person would do next.'),
  details: z.array(text).describe('The single tensors, kernels and the like behind it.'),
  fingerprint,
  accepted: orNull(text).describe('The reason for which it was accepted; null where it was not.'),
});

export const diffDocument = z
  .object({
    format: z.literal('unetc-diff'),
    version: z.literal(DIFF_VERSION).describe('Of this document. Within a version fields are only added.'),
    a: side,
    b: side,
    fail_on: z.enum([...SEVERITIES, 'never']).describe('The least severity that fails.'),
    summary: z.object({
      breaking: count,
      dangerous: count,
      info: count,
      accepted: count.describe('Findings that were accepted; they are counted here alone.'),
      failing: count.describe(
        'Findings at or above fail_on that were not accepted; above 0 the command exits 1.',
      ),
    }),
    findings: z.array(finding),
    cost: z.object({ a: cost, b: cost }),
    training: training.optional().describe('With --train, where both sides can be trained.'),
    stale: z
      .array(z.object({ fingerprint, reason: text }))
      .describe('Accepted findings that no longer occur.'),
    notes: z.array(text).describe('What was not compared, and why.'),
    kernels: z
      .array(z.object({ kernel: text, diff: text.describe('A unified diff.') }))
      .optional()
      .describe('Sources of kernels that differ; with --kernels.'),
    error: z.unknown().optional().describe('Of the command, where it failed: kind, exit, message.'),
  })
  .describe('What unetc diff found between two graphs, bundles or checkpoints.');

export type DiffDocument = z.infer<typeof diffDocument>;
export type FoundFinding = DiffDocument['findings'][number];

/** The text of docs/diff.schema.json. */
export function diffSchemaText(): string {
  return schemaText('unetc diff', diffDocument);
}

/** A document's schema as the text of a file. */
export function schemaText(title: string, document: z.ZodType): string {
  const schema = { title, ...z.toJSONSchema(document, { target: 'draft-7', io: 'output' }) };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
