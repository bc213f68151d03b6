// Whether a model drops anything in training, and whether a bundle of it does as it is asked.

import type { Graph } from '../../compiler/graph/graph.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import type { Manifest } from '../../runtime/bundle.ts';
import { drawsDropout } from '../../runtime/training/dropout.ts';
import { UsageError } from '../errors.ts';
import type { ModelSettings } from './model-settings.ts';

/**
 * Throws UsageError where a training batch is asked for with dropout and the bundle draws none, or the other way round. A graph
 * without dropout has the same bundle for both, and a step of training always draws it.
 */
export function checkDropoutFits(
  manifest: Manifest,
  graph: Graph,
  label: string,
  { dropout = false, trainingStep }: ModelSettings,
): void {
  if (trainingStep !== undefined) return;
  const draws = drawsDropout(manifest);
  if (draws && !dropout) {
    throw new UsageError(
      (option) =>
        `${label}: the bundle draws dropout, and the call asks for none; give gradients a seed for it or profile ` +
        `${option('dropout')}, or compile the graph without`,
    );
  }
  if (!draws && dropout && hasDropout(graph)) {
    throw new UsageError(
      (option) =>
        `${label}: the bundle was compiled without dropout; leave its seed out, or compile the graph again with ` +
        `${option('gradients')} and ${option('dropout')}`,
    );
  }
}

/** Whether a model drops anything in training. */
export function hasDropout(graph: Graph): boolean {
  const { nodes } = lowerGraph(graph, { batch: 1, taps: false, precision: 'f32' });
  return nodes.some((node) => node.op === 'dropout' && node.attrs.p > 0);
}
