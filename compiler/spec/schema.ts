// The JSON schema of graph files, for editors: generated from the zod schemas that check them.

import { z } from 'zod';
import { compactFile } from './compact.ts';
import { explicitFile } from './explicit.ts';

const options = { target: 'draft-7', io: 'input' } as const;

/**
 * JSON schema (draft 7, which editors know best) of both forms. A file with `blocks` is held to the explicit
 * form and any other to the compact one, so that an editor complains about one form alone.
 */
export function graphSchema(): object {
  const { $schema, ...compact } = z.toJSONSchema(compactFile, options);
  const { $schema: _, ...explicit } = z.toJSONSchema(explicitFile, options);
  return {
    $schema,
    title: 'unetc graph',
    description: 'A UNet of a diffusion model, in the compact form (unet) or the explicit form (blocks).',
    if: { required: ['blocks'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
    then: { $ref: '#/definitions/explicit' },
    else: { $ref: '#/definitions/compact' },
    definitions: { compact, explicit },
  };
}

/** The text of graphs/schema.json. */
export function graphSchemaText(): string {
  return `${JSON.stringify(graphSchema(), null, 2)}\n`;
}
