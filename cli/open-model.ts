// Opens what `run`, `sample` and `demo` compute with: a graph or a bundle, its weights, and where it runs.

import type { Diffusion } from '../compiler/graph/graph.ts';
import { parameters } from '../compiler/graph/parameters.ts';
import type { Model } from '../runtime/model.ts';
import { matchWeights } from '../runtime/weights/match.ts';
import { openWeights } from '../runtime/weights/open.ts';
import type { Context } from './context.ts';
import { printWarnings, readGraph } from './graph-file.ts';
import { referenceModel } from './reference-model.ts';

export interface OpenModelOptions {
  /** A .safetensors file, a .pt file, or `hash:SEED`. */
  readonly weights: string;
  /** Images in a forward pass; where not given 1, or a bundle's own. */
  readonly batch?: number | undefined;
  readonly size?: readonly number[] | undefined;
  readonly strict?: boolean;
  readonly taps?: boolean;
  readonly precision?: 'f32' | 'f16';
  readonly target?: string;
  /** Computes in float64 on the reference executor instead of the GPU. */
  readonly reference?: boolean;
}

export interface OpenedModel {
  readonly model: Model;
  readonly graph: { readonly name: string; readonly diffusion: Diffusion };
  /** What it runs on, in words. */
  readonly adapter: string;
  close(): void;
}

/** Opens a graph file or a bundle folder. Errors are those of its parts: graph, bundle, weights, adapter. */
export async function openModel(
  path: string,
  options: OpenModelOptions,
  context: Context,
): Promise<OpenedModel> {
  if (options.reference) return openReference(path, options, context);
  throw new Error('internal: models on the GPU are not connected yet; use --reference');
}

function openReference(path: string, options: OpenModelOptions, context: Context): OpenedModel {
  const { graph, warnings } = readGraph(path, { size: options.size });
  printWarnings(warnings, path, context);
  const source = openWeights(options.weights);
  const weights = matchWeights(parameters(graph), source);
  for (const note of weights.notes) context.stderr(`note: ${options.weights}: ${note}\n`);
  const model = referenceModel(graph, {
    batch: options.batch ?? 1,
    taps: options.taps ?? false,
    read: (name) => weights.read(name),
  });
  return { model, graph, adapter: 'the reference executor', close: () => source.close() };
}
