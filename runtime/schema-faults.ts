// Holds a document against a schema, and tells what is off as texts for a message: each with its place, few and of some
// length, whatever the document. The words are given with each call, for `zod/mini`, which a page loads, brings none.

import { en } from 'zod/locales';
import type { core } from 'zod/mini';

/** Faults that are written out, and characters of each: a document may have as many keys that nobody knows as it likes. */
const LISTED = 8;
const LONGEST = 300;

/** What a document is by a schema, or what is off about it: the first eight faults, none for one that is sound. */
export type Held<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly faults: readonly string[] };

/** A schema of `zod/mini`, or of `zod`. */
interface Schema<T> {
  safeParse(
    value: unknown,
    context: core.ParseContext<core.$ZodIssue>,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: core.$ZodError };
}

/** Holds a document against a schema. */
export function holdAgainst<T>(schema: Schema<T>, value: unknown): Held<T> {
  const parsed = schema.safeParse(value, { error: en().localeError });
  return parsed.success ? parsed : { success: false, faults: schemaFaults(parsed.error) };
}

/** The faults of a document that is not of a schema, `/groups/a: …` (RFC 6901), the first eight. */
export function schemaFaults(error: core.$ZodError): readonly string[] {
  return error.issues.slice(0, LISTED).map(({ path, message }) => {
    const text = `${pointerOf(path)}: ${message}`;
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  });
}

/** A place in a JSON document. Source: RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('') || '/';
}
