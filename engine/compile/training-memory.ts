// What a training batch takes on the device, said before anything runs: for what, and which blocks are kept for the backward pass
// or computed again there.

import { trainingBlocks } from '../../compiler/compile.ts';
import type { BlockCost } from '../../compiler/fit-training.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { isGradient } from '../../compiler/schedule/update.ts';
import type { Target } from '../../compiler/target.ts';
import { type Manifest, memoryOf } from '../../runtime/bundle.ts';
import { compileOptions } from './compile-with.ts';
import type { ModelSettings } from './model-settings.ts';

/** What of it `--json` prints. Bytes are bytes, operations floating-point operations of one microbatch. */
export interface TrainingMemory {
  /** All of it, which the setting `memory` limits. */
  readonly bytes: number;
  /** Parameters with their moments and moving averages, and their gradients where these stand until all are known. */
  readonly state_bytes: number;
  /** Whether they do; else gradients take memory in turn with activations. */
  readonly gradients_stand: boolean;
  /** Packed weights that stand as long as the program does. */
  readonly weight_bytes: number;
  /** Buffers and textures that activations take in turn, gradients, and weights that are packed just before their use. */
  readonly activation_bytes: number;
  readonly flops: number;
  /** Those of them that compute blocks again. */
  readonly recomputed_flops: number;
  readonly blocks: readonly BlockMemory[];
}

/** A block: the bytes that it keeps for the backward pass, or the operations that compute them again there. */
export interface BlockMemory extends BlockCost {
  readonly recomputed: boolean;
}

/** Of what was compiled for a training batch; null for a forward pass. */
export function trainingMemory(
  graph: Graph,
  settings: ModelSettings,
  target: Target,
  manifest: Manifest,
): TrainingMemory | null {
  if (!['gradients', 'step'].includes(manifest.passes[0]?.name ?? '')) return null;
  const { compiler, dispatches, memory, slots, state } = manifest;
  const again = new Set(compiler.recomputed);
  const blocks = trainingBlocks(graph, compileOptions(graph, settings, target)).map((block) => ({
    ...block,
    recomputed: again.has(block.path),
  }));
  const own = new Set(state.map(({ slot }) => slot));
  const state_bytes = [...own].reduce((sum, slot) => sum + slots[slot]!.bytes, 0);
  return {
    bytes: memoryOf(manifest),
    state_bytes,
    gradients_stand: state.some(({ name }) => isGradient(name)),
    weight_bytes: memory.weights,
    activation_bytes: memory.activations - state_bytes,
    flops: dispatches.reduce((sum, { flops }) => sum + flops, 0),
    recomputed_flops: blocks.reduce((sum, { flops, recomputed }) => sum + (recomputed ? flops : 0), 0),
    blocks,
  };
}

/** What is said of it before anything runs, a line each without the blocks. */
export function memorySummary(memory: TrainingMemory): readonly string[] {
  const { bytes, state_bytes, gradients_stand, weight_bytes, activation_bytes } = memory;
  const { blocks, flops, recomputed_flops } = memory;
  const [state, activations] = gradients_stand
    ? ['parameters, moments, averages and gradients', 'activations']
    : ['parameters, moments and averages', 'activations and gradients'];
  const again = blocks.filter(({ recomputed }) => recomputed);
  const freed = again.reduce((sum, block) => sum + block.bytes, 0);
  const kept = blocks.reduce((sum, block) => sum + block.bytes, 0) - freed;
  const share = (100 * recomputed_flops) / (flops - recomputed_flops);
  return [
    `${megabytes(bytes)} on the adapter: ${state} ${megabytes(state_bytes)}, ` +
      `packed weights ${megabytes(weight_bytes)}, ${activations} ${megabytes(activation_bytes)}`,
    again.length === 0
      ? `no block is computed again in the backward pass: all ${blocks.length} keep ${megabytes(kept)} together`
      : `${again.length} of ${blocks.length} blocks are computed again in the backward pass: they would keep ` +
        `${megabytes(freed)}, and cost ${share.toFixed(1)}% more operations; the others keep ${megabytes(kept)}`,
  ];
}

/** A line a block, in the order of the graph. */
export function printBlocks({ blocks, flops, recomputed_flops }: TrainingMemory): string {
  const rows = blocks.map(({ path, bytes, flops: cost, recomputed }) => [
    path,
    megabytes(bytes),
    `${((100 * cost) / (flops - recomputed_flops)).toFixed(2)}%`,
    recomputed ? 'computed again' : 'kept',
  ]);
  const head = ['block', 'keeps', 'costs again', 'is'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 || i === 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map((cells) => `${line(cells)}\n`).join('');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
}
