// The inputs of a graph's model, as its ports will be: layers declare theirs where they are lowered.

import type { InputSpec } from '../../runtime/bundle.ts';
import { portsOf } from '../opgraph/ports.ts';
import type { Graph } from './graph.ts';
import { lowerGraph } from './lower.ts';

/** What callers give for one image, in the order of a bundle's ports. */
export function graphInputs(graph: Graph): readonly InputSpec[] {
  return portsOf(lowerGraph(graph, { batch: 1, taps: false, precision: 'f32' })).map(({ spec }) => spec);
}
