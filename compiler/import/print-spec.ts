// Prints an inferred graph as the text of a graph file, in the manner of the files in graphs/.

import { FAMILY_KEYS } from '../families/index.ts';
import { type Json, printInline } from '../format/json.ts';
import { type ExplicitGraph, printExplicit } from '../graph/explicit.ts';
import type { InferResult } from './infer.ts';

/** The text of either form; it ends in a line break. */
export function printSpec(spec: InferResult['spec']): string {
  if ('blocks' in spec) return printExplicit(spec as unknown as ExplicitGraph);
  return `${object(spec, '')}\n`;
}

/** An object with a member a line; what has no members that are objects stands on one. */
function object(value: Readonly<Record<string, Json>>, indent: string): string {
  const members = Object.entries(value).map(([key, member]) => {
    const long = FAMILY_KEYS.some((family) => family === key);
    const text = long ? object(member as Readonly<Record<string, Json>>, `${indent}  `) : printInline(member);
    return `${indent}  ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${members.join(',\n')}\n${indent}}`;
}
