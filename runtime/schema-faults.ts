// Holds a document against a schema, and tells what is off as texts for a message: each with its place, few and of some
// length, whatever the document.

import type { Schema } from './schema.ts';

/** Faults that are written out, and characters of each: a document may have as many keys that nobody knows as it likes. */
const LISTED = 8;
const LONGEST = 300;

/** What a document is by a schema, or what is off about it: the first eight faults. */
export type Held<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly faults: readonly string[] };

/** Holds a document against a schema. */
export function holdAgainst<T>(schema: Schema<T>, value: unknown): Held<T> {
  const faults: string[] = [];
  schema.find(value, '', (at, message) => {
    if (faults.length < LISTED) faults.push(line(at, message));
  });
  return faults.length === 0 ? { success: true, data: value as T } : { success: false, faults };
}

/** What zod says of a document: the first eight faults, `/groups/a: …`. */
export function schemaFaults(error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): readonly string[] {
  return error.issues.slice(0, LISTED).map(({ path, message }) => line(pointerOf(path), message));
}

function line(at: string, message: string): string {
  const text = `${at || '/'}: ${message}`;
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** A place in a JSON document. Source: RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
