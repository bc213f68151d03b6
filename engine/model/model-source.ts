// What a model is made of before it is opened: a checked graph, and where it came from a bundle, its kernels.

import { GraphError } from '../../compiler/diagnostics.ts';
import type { JsonText } from '../../compiler/format/json.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { type LoadedGraph, loadGraph } from '../../compiler/graph/load.ts';
import { type Parameter, parameters } from '../../compiler/graph/parameters.ts';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import { outputEncoding, portsOf } from '../../compiler/opgraph/ports.ts';
import { modelOps } from '../../compiler/passes/model_ops.ts';
import { isGradient } from '../../compiler/schedule/update.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { ModelInterface } from '../../runtime/model.ts';
import { type OutputSpec, specOf } from '../../runtime/ports.ts';
import { drawsDropout } from '../../runtime/training/dropout.ts';
import { isBundleFolder, readBundle } from '../compile/bundle-folder.ts';
import { compareBundle, foreignNote } from '../compile/compare-bundle.ts';
import { checkDropoutFits } from '../compile/dropout-fits.ts';
import {
  checkBundleFits,
  givesGradient,
  givesGradients,
  type ModelSettings,
  trainingOf,
} from '../compile/model-settings.ts';
import { readGraphFile } from '../graph/graph-file.ts';

/** A graph, to be compiled when it is opened. */
export interface GraphSource extends LoadedGraph {
  readonly kind: 'graph';
  /** What messages call it: a path. */
  readonly label: string;
  /** The same graph for another image size. Throws GraphError where it cannot take it. */
  resize(size: readonly number[]): GraphSource;
}

/** A bundle, compiled from `graph` before. */
export interface BundleSource {
  readonly kind: 'bundle';
  readonly label: string;
  readonly graph: Graph;
  readonly bundle: Bundle;
  /** Whether it is what its graph compiles to. */
  readonly verified: boolean;
  /** What the caller should know of a bundle that was not compared; null of one that was, or that is trusted. */
  readonly note: string | null;
}

export type ModelSource = GraphSource | BundleSource;

/** How a model is read. */
export interface SourceOptions extends ModelSettings {
  /** Takes a bundle as it is, without comparing it with what its graph compiles to. */
  readonly trust?: boolean | undefined;
}

/**
 * Reads a graph file, or a folder as a bundle. Throws GraphError, RuntimeError('bundle'), and UsageError where a
 * bundle was compiled with other settings.
 */
export async function readModel(path: string, settings: SourceOptions): Promise<ModelSource> {
  if (isBundleFolder(path)) return bundleSource(await readBundle(path), path, settings);
  return graphSource(readGraphFile(path), path, settings.size);
}

/** The source of a graph's text, or of what it says as JSON. `label` is what messages call it. */
export function graphSource(text: string | JsonText, label: string, size?: readonly number[]): GraphSource {
  const loaded = loadGraph(text, label, { size });
  return { kind: 'graph', label, ...loaded, resize: (other) => graphSource(text, label, other) };
}

/**
 * The source of a bundle that was parsed. Throws UsageError where the settings differ from the bundle's, and
 * RuntimeError('bundle') where it is not what its graph compiles to, unless it is trusted.
 */
export function bundleSource(bundle: Bundle, label: string, settings: SourceOptions): BundleSource {
  checkBundleFits(bundle.manifest, label, settings);
  const graph = graphOfBundle(bundle, label);
  checkDropoutFits(bundle.manifest, graph, label, settings);
  const verified = !settings.trust && compareBundle(bundle, graph, label);
  const note = verified || settings.trust ? null : foreignNote(bundle, label);
  return { kind: 'bundle', label, graph, bundle, verified, note };
}

/** What a model is asked for beside its output, or in its place. */
type Given = Pick<ModelSettings, 'gradient' | 'gradients' | 'dropout'>;

/**
 * What the model of a graph takes in a batch of `batch` images, and what it gives without feature vectors; with `gradient`
 * what a classifier takes and gives for that, with `gradients` what a training batch does, and with `dropout` one that draws it.
 */
export function interfaceOf(
  graph: Graph,
  batch: number,
  { gradient = false, gradients = false, dropout = false }: Given = {},
): ModelInterface {
  return interfaceOfOps(
    modelOps(graph, { batch, taps: false, precision: 'f32', gradient, gradients, dropout }),
    batch,
  );
}

/** What a lowered graph takes and gives. */
export function interfaceOfOps(ops: OpGraph, batch: number): ModelInterface {
  return {
    batch,
    inputs: portsOf(ops).map(({ spec }) => spec),
    outputs: ops.outputs.map(({ name, value }) => {
      const { shape } = ops.nodes[value]!.type;
      return { name, encoding: outputEncoding(ops, value), dtype: 'f32', shape };
    }),
  };
}

/** The graph that a manifest carries: without it neither sampling nor the reference executor knows the model. */
export function graphOfBundle({ manifest }: Bundle, label: string): Graph {
  const fail = (message: string): never => {
    throw new RuntimeError('bundle', `${label}: manifest.json:/graph: ${message}; compile the graph again`);
  };
  try {
    const { graph } = loadGraph(JSON.stringify(manifest.graph), `${label}/manifest.json:/graph`);
    if (graph.image_size.join() !== manifest.image_size.join()) {
      fail(`its image size is ${graph.image_size.join('x')}, the bundle's ${manifest.image_size.join('x')}`);
    }
    if (listed(parameters(graph)) !== listed(manifest.parameters)) {
      fail('its parameters are not those of the bundle');
    }
    const { batch, taps, precision } = manifest;
    const trains = trainingOf(manifest) !== undefined;
    const asked = {
      gradient: givesGradient(manifest),
      gradients: trains || givesGradients(manifest),
      dropout: drawsDropout(manifest),
    };
    const face = interfaceOfOps(modelOps(graph, { batch, taps, precision, ...asked }), batch);
    // what a step of training takes and gives beside its batch is no matter of the graph
    const inputs = manifest.inputs.filter(({ name }) => !trains || name !== 'step_settings');
    const outputs = manifest.outputs.filter(
      ({ name }) => !trains || !['square_sums', 'gradient_scale'].includes(name),
    );
    const given = face.outputs.filter(({ name }) => !trains || !isGradient(name));
    if (fields(face.inputs) !== fields(inputs.map(specOf))) {
      fail('its inputs are not those of the bundle');
    }
    if (fields(given.map(unstored)) !== fields(outputs.map((port) => unstored(specOf(port))))) {
      fail('its outputs are not those of the bundle');
    }
    const keys = Object.keys(manifest.diffusion) as readonly (keyof Bundle['manifest']['diffusion'])[];
    const others = keys.filter((key) => graph.diffusion[key] !== manifest.diffusion[key]);
    const differs = others.map(
      (key) => `${key} ${graph.diffusion[key]}, the bundle's ${manifest.diffusion[key]}`,
    );
    if (differs.length > 0) fail(`its diffusion has ${differs.join('; ')}`);
    return graph;
  } catch (error) {
    if (error instanceof GraphError) fail(`not a graph of this version:\n${error.message}`);
    throw error;
  }
}

function listed(named: readonly Parameter[]): string {
  return named.map(({ name, shape }) => `${name} ${shape.join('x')}`).join('\n');
}

/** Ports field by field, in whatever order their fields were written: how a timestep is embedded is no less than a shape. */
function fields(ports: readonly object[]): string {
  return JSON.stringify(ports.map((port) => Object.entries(port).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

/** An output without its element type, which is what the kernel that writes it stores. */
function unstored({ dtype: _, ...spec }: OutputSpec): Omit<OutputSpec, 'dtype'> {
  return spec;
}
