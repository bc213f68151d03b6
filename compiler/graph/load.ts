// From the text of a graph file to a checked Graph: JSON, fields and rules in one go, with places in the text.

import { type Diagnostic, GraphError, type Position } from '../diagnostics.ts';
import type { JsonText } from '../format/json.ts';
import { RULES, type Rule } from '../format/rules.ts';
import { readSpec, type Spec } from '../spec/spec.ts';
import { type BuildOptions, buildGraph } from './build.ts';
import type { Graph } from './graph.ts';

export interface LoadedGraph {
  readonly graph: Graph;
  readonly warnings: readonly Diagnostic[];
  /** What the text says, before it was built. */
  readonly spec: Spec;
  /** Where the text has the value of a JSON pointer, or the nearest value around it. */
  locate(pointer: string): Position | undefined;
}

/**
 * The Graph of a text of either form. `file` is what messages call the text.
 * Throws GraphError with every fault (and warning) of the text, in the order of their places.
 */
export function loadGraph(text: string | JsonText, file: string, options: BuildOptions = {}): LoadedGraph {
  const read = readSpec(text);
  const built = read.spec ? buildGraph(read.spec, options) : { graph: null, diagnostics: [] };
  const rules: Readonly<Record<string, Rule>> = RULES;
  const sound = built.diagnostics.filter(
    (d) => !rules[d.code]?.reads.some((field) => read.guessed.has(field)),
  );
  const found = [...read.faults, ...sound].map((d) => {
    const position = read.locate(d);
    return position ? { ...d, position } : d;
  });
  const ordered = found.toSorted(byPlace);
  if (built.graph === null || read.faults.length > 0) throw new GraphError(ordered, file);
  const locate = (pointer: string) => read.locate({ severity: 'warning', code: '', pointer, message: '' });
  return { graph: built.graph, warnings: ordered, spec: read.spec!, locate };
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const line = (d: Diagnostic): number => d.position?.line ?? 0;
  const column = (d: Diagnostic): number => d.position?.column ?? 0;
  return line(a) - line(b) || column(a) - column(b);
}
