// The JSON schema of graph files, for editors: generated from the zod schemas that check them.

import { z } from 'zod';
import { FAMILY_KEYS, familyOf } from '../families/index.ts';
import { explicitFile } from './explicit.ts';

const options = { target: 'draft-7', io: 'input' } as const;

/**
 * JSON schema (draft 7, which editors know best) of all forms. A file is held to the form whose key it has, and one
 * without any to the first family's, so that an editor complains about one form alone.
 */
export function graphSchema(): object {
  const { $schema, ...blocks } = z.toJSONSchema(explicitFile, options);
  const families = FAMILY_KEYS.map((key) => {
    const { $schema: _, ...schema } = z.toJSONSchema(familyOf(key).file, options);
    return [key, schema] as const;
  });
  const [[first]] = families as [(typeof families)[number]];
  const otherwise = { $ref: `#/definitions/${first}` };
  const forms = ['blocks', ...FAMILY_KEYS.slice(1)];
  const choice = forms.reduceRight<object>((others, key) => held(key, others), otherwise);
  return {
    $schema,
    title: 'unetc graph',
    description:
      'A UNet of a diffusion model, by the keywords of a family (unet, adm, adm_classifier, unet_2d) or in the explicit form (blocks).',
    ...choice,
    definitions: { ...Object.fromEntries(families), blocks },
  };
}

/** A file with `key` is held to its form, any other to what `others` say. */
function held(key: string, others: object): object {
  return {
    if: { required: [key] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
    then: { $ref: `#/definitions/${key}` },
    else: others,
  };
}

/** The text of graphs/schema.json. */
export function graphSchemaText(): string {
  return `${JSON.stringify(graphSchema(), null, 2)}\n`;
}
