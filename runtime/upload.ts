// Weights on their way to the GPU: a tensor is read when its turn comes, into memory that is used again, and packed
// stretch by stretch straight into one of a few staging buffers. So beside the packed weights themselves there is never
// more than what is packed together and some megabytes.

import type { Manifest } from './bundle.ts';
import { RuntimeError } from './errors.ts';
import type { Memory } from './memory.ts';
import { createScratch, type Scratch } from './scratch.ts';
import { elements } from './tensor.ts';
import { unhurried } from './unhurried.ts';
import { runsOf, stretchesOf } from './weights/extent.ts';
import { packer } from './weights/pack.ts';

/** The values of a parameter by the graph's name, row-major float32. They may lie in `scratch`. */
export type ReadParameter = (name: string, scratch?: Scratch) => Float32Array;

const PIECE_BYTES = 2 ** 22;

/** While one piece is filled, those before it are on their way. */
const PIECES = 3;

/** What staging takes, where no stretch is longer than a piece. */
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
  const runs = manifest.weights.flatMap(({ parts }, entry) =>
    runsOf(parts, memory.floats(entry)).map((run) => {
      return { entry, parts: run.parts, stretches: stretchesOf(run, PIECE_BYTES / 4) };
    }),
  );
  if (runs.length === 0) return;
  const scratches = scratchesFor(manifest, runs);
  const lengths = runs.flatMap(({ stretches }) => stretches.map(({ first, end }) => end - first));
  const staging = createStaging(device, Math.max(PIECE_BYTES / 4, ...lengths));
  try {
    for (const { entry, parts, stretches } of runs) {
      const packs = parts.map((part, i) => packer(part, read(part.param, scratches[i])));
      for (const { first, end } of stretches) {
        const { to, copy } = await staging.place(end - first);
        to.fill(0);
        for (const pack of packs) pack(to, first);
        copy((encoder, buffer, offset) =>
          memory.copyWeights(encoder, buffer, offset, entry, first, end - first),
        );
      }
    }
    await staging.arrived();
  } finally {
    staging.destroy();
  }
}

/** Memory for each parameter of a run: what is packed together is read together. */
function scratchesFor(
  { parameters }: Manifest,
  runs: readonly { readonly parts: readonly { readonly param: string }[] }[],
): readonly Scratch[] {
  const sizes = new Map(parameters.map(({ name, shape }) => [name, elements(shape)]));
  const longest: number[] = [];
  for (const { parts } of runs) {
    parts.forEach(({ param }, i) => {
      longest[i] = Math.max(longest[i] ?? 0, sizes.get(param)!);
    });
  }
  return longest.map(createScratch);
}

type Copy = (encoder: GPUCommandEncoder, from: GPUBuffer, offset: number) => void;

interface Staging {
  /** So many floats that hold anything, and what copies them from the buffer that they lie in; once they are filled. */
  place(floats: number): Promise<{ readonly to: Float32Array; readonly copy: (record: Copy) => void }>;
  /** Resolves when nothing is on its way. */
  arrived(): Promise<void>;
  destroy(): void;
}

/** Places begin at whole texels. */
const ALIGNMENT = 16;

/**
 * Buffers that are filled by turns, each with as many stretches as it holds. The queue's own `writeBuffer` takes memory
 * anew for every piece, which costs more than the copy.
 */
function createStaging(device: GPUDevice, floats: number): Staging {
  const size = Math.ceil((floats * 4) / ALIGNMENT) * ALIGNMENT;
  const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC;
  const ring = Array.from({ length: PIECES }, () => ({
    buffer: device.createBuffer({ label: 'staging', size, usage, mappedAtCreation: true }),
    mapped: Promise.resolve(),
  }));
  type Piece = (typeof ring)[number];
  const free = async ({ mapped }: Piece) => {
    try {
      await mapped;
    } catch (error) {
      throw new RuntimeError('gpu', `uploading weights: ${error instanceof Error ? error.message : error}`);
    }
  };
  let turn = 0;
  let filling: { piece: Piece; range: ArrayBuffer; encoder: GPUCommandEncoder; used: number } | null = null;
  const send = () => {
    if (filling === null) return;
    const { piece, encoder } = filling;
    filling = null;
    piece.buffer.unmap();
    device.queue.submit([encoder.finish()]);
    piece.mapped = unhurried(() => piece.buffer.mapAsync(GPUMapMode.WRITE));
    // whoever waits for it hears of it
    piece.mapped.catch(() => undefined);
  };
  const begin = async () => {
    const piece = ring[turn]!;
    turn = (turn + 1) % PIECES;
    await free(piece);
    return { piece, range: piece.buffer.getMappedRange(), encoder: device.createCommandEncoder(), used: 0 };
  };
  return {
    async place(floats) {
      if (filling !== null && filling.used + floats * 4 > size) send();
      filling ??= await begin();
      const { piece, range, encoder, used } = filling;
      filling.used = Math.ceil((used + floats * 4) / ALIGNMENT) * ALIGNMENT;
      const to = new Float32Array(range, used, floats);
      return { to, copy: (record) => record(encoder, piece.buffer, used) };
    },
    async arrived() {
      send();
      for (const piece of ring) await free(piece);
    },
    destroy() {
      for (const { buffer } of ring) buffer.destroy();
    },
  };
}
