// Which files that a pattern such as `graphs/*.json` names are no graphs. Only what is known to be something else is: a file
// that is not recognised counts as a graph, and has to be a valid one.

import { isTypeScript } from '../graph/typescript/read-graph.ts';
import { ACCEPTED_FORMAT } from './accepted.ts';

/** What our own files beside graphs are, by their `format`. */
const FORMATS: Readonly<Record<string, string>> = {
  [ACCEPTED_FORMAT]: 'accepted findings',
  'unetc-tuning': 'a tuning',
  'unetc-rename-map': 'a rename map',
  'unetc-bundle': 'the manifest of a bundle',
  'unetc-diff': 'a diff',
  'unetc-diff-base': 'a diff',
};

/** Whether a file is called as graphs are: JSON or TypeScript, declarations aside. */
export function isGraphName(file: string): boolean {
  return /\.json$/i.test(file) || (isTypeScript(file) && !/\.d\.[cm]?ts$/i.test(file));
}

/** What a file is that is no graph; null for a graph, be it a bad one. */
export function otherKind(text: string, file: string): string | null {
  if (isTypeScript(file)) return /\bdefineUNet\b/.test(text) ? null : 'TypeScript without defineUNet';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
  const { format, $schema } = json as Record<string, unknown>;
  if (typeof $schema === 'string' && /^https?:\/\/json-schema\.org\//.test($schema)) return 'a JSON schema';
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format)) return FORMATS[format]!;
  return Object.keys(json).sort().join() === 'accepted,version' ? 'accepted findings' : null;
}
