// Weights on their way to the GPU: a tensor is read when its turn comes, packed into memory that is used again, and
// uploaded in pieces of which only a few are under way at once. So beside the packed weights themselves there is never
// more than the largest of them and some megabytes.

import type { Manifest } from './bundle.ts';
import type { Memory } from './memory.ts';
import { createScratch, type Scratch } from './scratch.ts';
import { elements } from './tensor.ts';
import { unhurried } from './unhurried.ts';
import { packPart } from './weights/pack.ts';

/** The values of a parameter by the graph's name, row-major float32. They may lie in `scratch`. */
export type ReadParameter = (name: string, scratch?: Scratch) => Float32Array;

/** What is written to a queue is copied to staging memory, which is given back when the queue is past it. */
const PIECE_BYTES = 2 ** 22;

/** The next pieces are made while these are under way. */
const BYTES_UNDER_WAY = 2 ** 24;

/** The most that is under way at once. */
export const STAGING_BYTES = 2 * (BYTES_UNDER_WAY + PIECE_BYTES);

/**
 * Packs and uploads all weights. Between pieces other work has its turn. Throws what `read` throws; what the GPU has to
 * say is told to the device.
 */
export async function uploadWeights(
  manifest: Manifest,
  memory: Memory,
  read: ReadParameter,
  device: GPUDevice,
): Promise<void> {
  const scratch = createScratch(Math.max(...manifest.parameters.map(({ shape }) => elements(shape))));
  const roomOf = (entry: number) => {
    const row = memory.row(entry);
    return Math.ceil(manifest.weights[entry]!.length / row) * row;
  };
  const packing = createScratch(Math.max(...manifest.weights.map((_, entry) => roomOf(entry))));
  let before: Promise<unknown> = Promise.resolve();
  let underWay = 0;
  for (const [entry, { parts }] of manifest.weights.entries()) {
    const row = memory.row(entry);
    const packed = packing.floats(roomOf(entry)).fill(0);
    for (const part of parts) packPart(part, read(part.param, scratch), packed);
    const step = Math.max(Math.floor(PIECE_BYTES / 4 / row), 1) * row;
    for (let first = 0; first < packed.length; first += step) {
      const piece = packed.subarray(first, first + step);
      memory.write(entry, first, piece);
      // without a submit, staging memory would only grow
      device.queue.submit([]);
      underWay += piece.byteLength;
      if (underWay < BYTES_UNDER_WAY) continue;
      const written = unhurried(() => device.queue.onSubmittedWorkDone());
      await before;
      before = written;
      underWay = 0;
    }
  }
  await before;
}
