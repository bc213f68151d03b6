// A model as a caller of the Node API gives it: a path, a text, an object, a bundle in memory.

import { GraphError } from '../compiler/diagnostics.ts';
import type { Check } from '../runtime/arguments.ts';
import { checkArgument } from '../runtime/arguments.ts';
import { type Bundle, formatManifest } from '../runtime/bundle.ts';
import { parseBundle } from '../runtime/parse-bundle.ts';
import { readGraphFile, textOfGraph } from './graph/graph-file.ts';
import {
  bundleSource,
  type GraphSource,
  graphSource,
  type ModelSource,
  readModel,
  type SourceOptions,
} from './model/model-source.ts';

/**
 * A graph: the path of its file, its JSON text (which begins with a brace), or what the text says as an object, in
 * the compact or the explicit form.
 */
export type GraphInput = string | object;

const GRAPH: Check = {
  expected: 'a graph: the path of its file, its text, or an object as { version: 1, … }',
  holds: isInput,
};

const MODEL: Check = { expected: `${GRAPH.expected}; or a bundle, as compile gives it`, holds: isInput };

function isInput(value: unknown): boolean {
  const isObject = typeof value === 'function' || (typeof value === 'object' && value !== null);
  return isObject || (typeof value === 'string' && value !== '');
}

/** The source of a graph. Throws GraphError, and UsageError where it is nothing that could be one. */
export function graphOfInput(graph: GraphInput, size: readonly number[] | undefined): GraphSource {
  checkArgument('graph', graph, GRAPH);
  return isPath(graph) ? graphSource(readGraphFile(graph), graph, size) : inMemory(graph, size, 'graph');
}

/**
 * The source of a model. `label` is what messages call what is no file. Throws as `graphOfInput`, and
 * RuntimeError('bundle').
 */
export async function sourceOfInput(
  model: GraphInput | Bundle,
  settings: SourceOptions,
  label: 'graph' | 'classifier' = 'graph',
): Promise<ModelSource> {
  checkArgument(label === 'graph' ? 'model' : 'classifier.model', model, MODEL);
  if (isPath(model)) return readModel(model, settings);
  if (typeof model === 'string' || !isBundle(model)) return inMemory(model, settings.size, label);
  const { manifest, kernels } = model;
  const called = label === 'graph' ? 'the bundle' : `the bundle of the ${label}`;
  const checked = await parseBundle(formatManifest(manifest), (file) => kernels.get(file), called);
  return bundleSource(checked, called, settings);
}

function inMemory(graph: GraphInput, size: readonly number[] | undefined, label: string): GraphSource {
  if (typeof graph === 'string') return graphSource(graph, label, size);
  try {
    return graphSource(textOfGraph(graph, label), label, size);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    // Nobody sees the text that lines and columns would count in.
    throw new GraphError(
      error.diagnostics.map(({ position: _, ...rest }) => rest),
      error.file,
    );
  }
}

/** Text begins with a brace, after space or a byte order mark; the path of a file does not. */
export function isPath(model: GraphInput): model is string {
  return typeof model === 'string' && !/^\s*\{/.test(model);
}

/** A bundle in memory has both of its parts; an object with one of them is none, and no graph. */
export function isBundle(model: object): model is Bundle {
  return 'manifest' in model && 'kernels' in model && model.kernels instanceof Map;
}
