// What a graph costs before anything runs: parameters, arithmetic, memory, dispatches.

import type { Diagnostic } from '../../compiler/diagnostics.ts';
import type { LoadedGraph } from '../../compiler/graph/load.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import { parameterCount, parameters } from '../../compiler/graph/parameters.ts';
import { countMacs } from '../../compiler/opgraph/cost.ts';
import type { Precision } from '../../compiler/precision.ts';
import { SOFTWARE } from '../../compiler/target.ts';
import { memoryOf } from '../../runtime/bundle.ts';
import { cutsOf } from '../../runtime/submissions.ts';
import { findDevice } from '../expected/devices.ts';
import { type ExpectedPass, expectedPass } from '../expected/expected-time.ts';
import { type KernelCounts, kernelCounts } from '../expected/kernel-counts.ts';
import { readGraph } from '../graph/graph-file.ts';
import { compileWith } from './compile-with.ts';
import { checkMemory } from './memory-limit.ts';
import type { ModelSettings } from './model-settings.ts';
import { targetFor } from './target-choice.ts';
import { type TrainingMemory, trainingMemory } from './training-memory.ts';

/** What `--json` prints. Counts are over the whole batch; bytes are bytes. */
export interface GraphStats {
  readonly name: string;
  readonly image_size: readonly number[];
  readonly batch: number;
  readonly target: string;
  readonly precision: Precision;
  /** Scalars in all parameters, and how many tensors they are in. */
  readonly params: number;
  readonly tensors: number;
  /** Multiply-accumulates of one forward pass; biases and norms are not counted. */
  readonly macs: { readonly conv: number; readonly linear: number; readonly attention: number };
  /** Floating-point operations of one forward pass, all of them. */
  readonly flops: number;
  /** Bytes of the parameters in float32, and as packed for the kernels. */
  readonly weight_bytes: number;
  readonly packed_weight_bytes: number;
  /** Bytes of all activation buffers, and what they would be if none were used twice. */
  readonly activation_peak_bytes: number;
  readonly activation_bytes_without_reuse: number;
  /** Bytes that a run takes on the device: packed weights and activations. The setting `memory` limits it. */
  readonly memory_bytes: number;
  readonly dispatches: number;
  readonly kernels: number;
  /** Dispatches that a submission begins with beside the first: where a pass is cut on GPUs, lest their drivers reset them. */
  readonly cuts: readonly number[];
  /** With a device: what a pass is expected to take there. */
  readonly expected?: ExpectedPass;
  /** Where asked for: what kernels of products do for a multiply-accumulate. */
  readonly kernel_counts?: readonly KernelCounts[];
  /** Of a training batch what its memory is for, and each block kept or computed again. */
  readonly training?: TrainingMemory;
}

/** What is told beside the counts: times expected on a GPU, and what kernels do for a multiply-accumulate. */
interface Asked {
  readonly device?: string | undefined;
  readonly kernels?: boolean | undefined;
}

/** Counts a graph file. Throws GraphError and UsageError. */
export function graphStats(
  path: string,
  settings: ModelSettings,
  asked: Asked = {},
): { readonly stats: GraphStats; readonly warnings: readonly Diagnostic[] } {
  const loaded = readGraph(path, { size: settings.size });
  return { stats: statsOf({ ...loaded, label: path }, settings, asked), warnings: loaded.warnings };
}

/** The same of a graph that was read, in the size of the settings. */
export function statsOf(
  { graph, locate, label }: Pick<LoadedGraph, 'graph' | 'locate'> & { readonly label: string },
  settings: ModelSettings,
  { device, kernels = false }: Asked = {},
): GraphStats {
  const gpu = device === undefined ? null : findDevice(device);
  const { batch = 1, precision = 'f32', target: name = 'generic', memory } = settings;
  const target = targetFor(name);
  const { bundle } = compileWith(graph, settings, target, { label, locate });
  const { manifest } = bundle;
  checkMemory(manifest, memory, 'graph');
  const training = trainingMemory(graph, settings, target, manifest);
  return {
    name: graph.name,
    image_size: graph.image_size,
    batch,
    target: target.name,
    precision,
    params: parameterCount(graph),
    tensors: parameters(graph).length,
    macs: countMacs(lowerGraph(graph, { batch, taps: false, precision: 'f32' })),
    flops: manifest.dispatches.reduce((sum, { flops }) => sum + flops, 0),
    weight_bytes: 4 * parameterCount(graph),
    packed_weight_bytes: manifest.memory.weights,
    activation_peak_bytes: manifest.memory.activations,
    activation_bytes_without_reuse: manifest.memory.activations_unshared,
    memory_bytes: memoryOf(manifest),
    dispatches: manifest.dispatches.length,
    kernels: manifest.kernels.length,
    cuts: target.name === SOFTWARE.name ? [] : cutsOf(manifest),
    ...(gpu === null ? {} : { expected: expectedPass(bundle, gpu) }),
    ...(kernels ? { kernel_counts: kernelCounts(bundle) } : {}),
    ...(training === null ? {} : { training }),
  };
}
