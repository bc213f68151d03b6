// Weights on their way to the GPU: a tensor is read when its turn comes, packed into memory that is used again, and
// copied in pieces through a few staging buffers. So beside the packed weights themselves there is never more than the
// largest of them and some megabytes.

import type { Manifest } from './bundle.ts';
import { RuntimeError } from './errors.ts';
import type { Memory } from './memory.ts';
import { createScratch, type Scratch } from './scratch.ts';
import { elements } from './tensor.ts';
import { unhurried } from './unhurried.ts';
import { runsOf } from './weights/extent.ts';
import { packPart } from './weights/pack.ts';

/** The values of a parameter by the graph's name, row-major float32. They may lie in `scratch`. */
export type ReadParameter = (name: string, scratch?: Scratch) => Float32Array;

const PIECE_BYTES = 2 ** 22;

/** While one piece is filled, those before it are on their way. */
const PIECES = 3;

/** What staging takes. */
export const STAGING_BYTES = PIECES * PIECE_BYTES;

/**
 * Packs and uploads all weights. Between pieces other work has its turn. Throws what `read` throws, and
 * RuntimeError('gpu').
 */
export async function uploadWeights(
  manifest: Manifest,
  memory: Memory,
  read: ReadParameter,
  device: GPUDevice,
): Promise<void> {
  if (manifest.weights.length === 0) return;
  const scratch = createScratch(Math.max(...manifest.parameters.map(({ shape }) => elements(shape))));
  const entries = manifest.weights.map(({ parts, length }, entry) => ({
    ...{ entry, length, row: memory.row(entry) },
    runs: runsOf(parts, length),
  }));
  const longest = entries.flatMap(({ row, runs }) => runs.map(({ first, end }) => end - first + 2 * row));
  const window = new Float32Array(Math.max(...longest));
  const staging = createStaging(device);
  try {
    for (const { entry, length, row, runs } of entries) {
      const step = Math.max(Math.floor(PIECE_BYTES / 4 / row), 1) * row;
      // The window holds what is packed from `base` on. Whole rows leave it, the beginning of the next one stays.
      let base = 0;
      let held = 0;
      for (const { end, parts } of runs) {
        const filled = end - base;
        const leaving = (end === length ? Math.ceil(filled / row) : Math.floor(filled / row)) * row;
        window.fill(0, held, Math.max(filled, leaving));
        for (const part of parts) packPart(part, read(part.param, scratch), window, base);
        for (let at = 0; at < leaving; at += step) {
          const piece = window.subarray(at, Math.min(at + step, leaving));
          const first = base + at;
          await staging.send(piece, (encoder, buffer) =>
            memory.copyWeights(encoder, buffer, entry, first, piece.length),
          );
        }
        held = Math.max(filled - leaving, 0);
        window.copyWithin(0, leaving, leaving + held);
        base += leaving;
      }
    }
    await staging.arrived();
  } finally {
    staging.destroy();
  }
}

interface Staging {
  /** Has a piece copied to where `copy` says; waits where all staging buffers are on their way. */
  send(piece: Float32Array, copy: (encoder: GPUCommandEncoder, from: GPUBuffer) => void): Promise<void>;
  /** Resolves when nothing is on its way. */
  arrived(): Promise<void>;
  destroy(): void;
}

/**
 * Buffers that are written by turns. The queue's own `writeBuffer` takes memory anew for every piece, which costs more
 * than the copy.
 */
function createStaging(device: GPUDevice): Staging {
  const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC;
  const ring = Array.from({ length: PIECES }, () => ({
    buffer: device.createBuffer({ label: 'staging', size: PIECE_BYTES, usage, mappedAtCreation: true }),
    mapped: Promise.resolve(),
  }));
  let turn = 0;
  const free = async ({ mapped }: (typeof ring)[number]) => {
    try {
      await mapped;
    } catch (error) {
      throw new RuntimeError('gpu', `uploading weights: ${error instanceof Error ? error.message : error}`);
    }
  };
  return {
    async send(piece, copy) {
      const next = ring[turn]!;
      turn = (turn + 1) % PIECES;
      await free(next);
      const { buffer } = next;
      new Float32Array(buffer.getMappedRange(0, piece.byteLength)).set(piece);
      buffer.unmap();
      const encoder = device.createCommandEncoder();
      copy(encoder, buffer);
      device.queue.submit([encoder.finish()]);
      next.mapped = unhurried(() => buffer.mapAsync(GPUMapMode.WRITE));
      // whoever waits for it hears of it
      next.mapped.catch(() => undefined);
    },
    async arrived() {
      for (const buffer of ring) await free(buffer);
    },
    destroy() {
      for (const { buffer } of ring) buffer.destroy();
    },
  };
}
