// What zod says of a document, as texts for a message: each with its place, few and of some length, whatever the document.

import type { z } from 'zod';

/** Faults that are written out, and characters of each: a document may have as many keys that nobody knows as it likes. */
const LISTED = 8;
const LONGEST = 300;

/** The faults of a document that is not of a schema, `/groups/a: …` (RFC 6901), the first eight. */
export function schemaFaults(error: z.ZodError): readonly string[] {
  return error.issues.slice(0, LISTED).map(({ path, message }) => {
    const text = `${pointerOf(path)}: ${message}`;
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  });
}

/** A place in a JSON document. Source: RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('') || '/';
}
