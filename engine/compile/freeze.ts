// Which parameters training leaves as they are: patterns of names to names.

import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { nearestName } from '../../runtime/weights/nearest-name.ts';
import { UsageError } from '../errors.ts';

/**
 * The names of the parameters that patterns match, in checkpoint order. A pattern is a name or the beginning of names up to a
 * dot (`input_blocks.0`, `time_embed`); `*` stands for any text and `?` for a character of it. Throws UsageError for a pattern
 * that matches nothing, and where nothing is left to be trained.
 */
export function frozenBy(patterns: readonly string[], graph: Graph): readonly string[] {
  const names = parameters(graph).map(({ name }) => name);
  for (const pattern of patterns) {
    const matches = matcherOf(pattern);
    if (!names.some(matches)) throw nothingMatches(pattern, names, graph.name);
  }
  const matchers = patterns.map(matcherOf);
  const frozen = names.filter((name) => matchers.some((matches) => matches(name)));
  if (frozen.length < names.length) return frozen;
  throw new UsageError(
    (option) =>
      `${option('freeze')}: ${patterns.join(',')} matches all ${names.length} parameters; leave some to train`,
  );
}

function matcherOf(pattern: string): (name: string) => boolean {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  const whole = new RegExp(`^${text}(\\..*)?$`);
  return (name) => whole.test(name);
}

function nothingMatches(pattern: string, names: readonly string[], graph: string): UsageError {
  const known = [...new Set(names.flatMap(beginnings))];
  const near = nearestName(pattern.replace(/[*?]/g, ''), known);
  const tops = [...new Set(names.map((name) => name.split('.')[0]!))].join(', ');
  const meant = near === null ? '' : `did you mean ${near}? `;
  return new UsageError(
    (option) =>
      `${option('freeze')}: '${pattern}' matches no parameter of ${graph}; ${meant}names begin with ${tops}, and ` +
      'unetc expand or unetc stats prints the model',
  );
}

/** A name and what stands before each of its dots. */
function beginnings(name: string): readonly string[] {
  const parts = name.split('.');
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
}
