// One side of a diff as it was read, and how a graph, a bundle and a checkpoint become one.

import path from 'node:path';
import type { Position } from '../../compiler/diagnostics.ts';
import { type DiffSide, sideOfGraph } from '../../compiler/diff/side.ts';
import type { LoadedGraph } from '../../compiler/graph/load.ts';
import type { Bundle } from '../../runtime/bundle.ts';

export interface ReadSide {
  readonly kind: 'graph' | 'bundle' | 'checkpoint';
  readonly side: DiffSide;
  /** The bundle where the side is one. */
  readonly bundle: Bundle | null;
  /** File in the working tree for annotations, null where there is none. */
  readonly file: string | null;
  readonly notes: readonly string[];
  locate(pointer: string): Position | undefined;
}

/** The side of a graph file. */
export function graphSide(
  { graph, spec, locate }: LoadedGraph,
  label: string,
  file: string | null,
): ReadSide {
  return { kind: 'graph', side: sideOfGraph(label, graph, { spec }), bundle: null, file, notes: [], locate };
}

/** The side of a bundle; `folder` is where it lies. */
export async function bundleSide(bundle: Bundle, label: string, folder: string | null): Promise<ReadSide> {
  const { graphOfBundle } = await import('../model/model-source.ts');
  const { epsilonsIn, scheduleFacts } = await import('../../compiler/diff/schedule-facts.ts');
  const graph = graphOfBundle(bundle, label);
  const { batch, precision, taps, strict, inputs } = bundle.manifest;
  const epsilons = epsilonsIn(bundle);
  const timesteps = inputs.find((port) => port.encoding === 'timestep');
  const side = sideOfGraph(label, graph, {
    compiled: { batch, precision, taps, strict, epsilons, max_period: timesteps?.max_period ?? null },
    schedule: scheduleFacts(bundle),
  });
  return {
    kind: 'bundle',
    side,
    bundle,
    file: folder === null ? null : path.posix.join(folder, 'manifest.json'),
    notes: [],
    locate: () => undefined,
  };
}

/** A checkpoint as the graph that it belongs to; one of another family as its parameters alone. */
export async function checkpointSide(
  tensors: ReadonlyMap<string, readonly number[]>,
  said: readonly string[],
  label: string,
  file: string,
): Promise<ReadSide> {
  const { sideOfTensors } = await import('./checkpoint-side.ts');
  const { side, note } = sideOfTensors(tensors, label);
  const notes = [...said.map((text) => `${label}: ${text}`), note];
  return { kind: 'checkpoint', side, bundle: null, file, notes, locate: () => undefined };
}

/** Whether a file is called as checkpoints are. */
export function isCheckpointName(file: string): boolean {
  return /\.(pt|pth|ckpt|bin|safetensors)(\.index\.json)?$/i.test(file);
}

/**
 * Whether a file begins as checkpoints do: what torch.save wrote, the header of safetensors (a length, then a brace), or a state dict as JSON.
 */
export function isCheckpoint(head: Uint8Array): boolean {
  const zip = (head[0] === 0x50 && head[1] === 0x4b) || (head[0] === 0x80 && head[2] === 0x8a);
  const safetensors = head[8] === 0x7b && head.subarray(1, 8).some((byte) => byte === 0);
  return zip || safetensors || /^\s*\{\s*"[^"]+\.(weight|bias)"\s*:/.test(new TextDecoder().decode(head));
}

/** So many of a file's first bytes tell whether it is a checkpoint. */
export const HEAD_BYTES = 256;
