// Staging of weights: a few buffers in which they are packed, and from which they are copied to where they belong.

import { answered } from './answered.ts';
import type { Memory } from './memory.ts';
import type { OpenedDevice } from './opened-device.ts';

/** What is sent at once. */
const PIECE_BYTES = 2 ** 22;

/** While one piece is filled, those before it are on their way. */
const PIECES = 3;

/** What staging takes, where nothing in it is longer than a piece. */
export const STAGING_BYTES = PIECES * PIECE_BYTES;

export interface Staging {
  /**
   * Room for the weights of an entry from `first` on, which holds anything. It is to be filled before the next call, by
   * which it may be on its way.
   */
  place(entry: number, first: number, length: number): Promise<Float32Array>;
  /** Resolves when all are where they belong. */
  arrived(): Promise<void>;
  destroy(): void;
}

/** Places begin at whole texels. */
const ALIGNMENT = 16;

/** What one copy takes from a staging buffer. */
interface Copy {
  readonly offset: number;
  readonly entry: number;
  readonly first: number;
  length: number;
}

interface Piece {
  readonly buffer: GPUBuffer;
  /** Resolves when it can be filled. */
  mapped: Promise<void>;
}

/** A piece that is being filled. */
interface Filling {
  readonly piece: Piece;
  readonly range: ArrayBuffer;
  readonly copies: Copy[];
  used: number;
}

/**
 * Buffers that are filled by turns, each with as much as it holds. The queue's own `writeBuffer` takes memory anew for
 * every piece, which costs more than the copy. `longest` is the most that is placed at once, in bytes.
 */
export function createStaging(
  memory: Memory,
  opened: Pick<OpenedDevice, 'device' | 'pacing' | 'lost' | 'check'>,
  longest: number,
): Staging {
  const { device, pacing } = opened;
  const size = Math.ceil(Math.max(longest, PIECE_BYTES) / ALIGNMENT) * ALIGNMENT;
  const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC;
  const ring = Array.from({ length: PIECES }, (): Piece => {
    const buffer = device.createBuffer({ label: 'staging', size, usage, mappedAtCreation: true });
    return { buffer, mapped: Promise.resolve() };
  });
  const mapped = (piece: Piece): Promise<ArrayBuffer> =>
    answered(opened, 'uploading weights', async () => {
      await piece.mapped;
      return piece.buffer.getMappedRange();
    });
  const send = ({ piece, copies }: Filling) => {
    const { buffer } = piece;
    buffer.unmap();
    const encoder = device.createCommandEncoder();
    for (const { offset, entry, first, length } of copies)
      memory.copyWeights(encoder, buffer, offset, entry, first, length);
    device.queue.submit([encoder.finish()]);
    piece.mapped = pacing.unhurried(() => buffer.mapAsync(GPUMapMode.WRITE));
    // whoever waits for it hears of it
    piece.mapped.catch(() => undefined);
  };
  let turn = 0;
  const begin = async (): Promise<Filling> => {
    const piece = ring[turn]!;
    turn = (turn + 1) % PIECES;
    return { piece, range: await mapped(piece), copies: [], used: 0 };
  };
  let filling: Filling | null = null;
  return {
    async place(entry, first, length) {
      if (filling !== null && filling.used + length * 4 > size) {
        send(filling);
        filling = null;
      }
      filling ??= await begin();
      const { range, copies, used } = filling;
      const last = copies.at(-1);
      const follows = last?.entry === entry && last.first + last.length === first;
      if (follows && last.offset + last.length * 4 === used) last.length += length;
      else copies.push({ offset: used, entry, first, length });
      filling.used = Math.ceil((used + length * 4) / ALIGNMENT) * ALIGNMENT;
      return new Float32Array(range, used, length);
    },
    async arrived() {
      if (filling !== null) send(filling);
      filling = null;
      for (const piece of ring) await answered(opened, 'uploading weights', () => piece.mapped);
    },
    destroy() {
      for (const { buffer } of ring) buffer.destroy();
    },
  };
}
