// Places the weights of all dispatches in read-only arenas at 256-byte offsets, split by what a binding may hold.

import type { Target } from '../target.ts';
import type { WeightBlob } from './kernel-call.ts';

const ALIGNMENT = 256;

export interface PlacedBlob extends WeightBlob {
  /** Null where they are a texture of their own. */
  readonly arena: number | null;
  /** In bytes. */
  readonly offset: number;
}

export interface Arenas {
  /** Bytes of each arena. */
  readonly sizes: readonly number[];
  readonly blobs: readonly PlacedBlob[];
}

/**
 * Fills arenas in the order of the blobs; a new one begins where the next blob does not fit. A blob that is larger than
 * the target's limit gets one of its own, and the bundle asks the adapter for that much.
 */
export function placeBlobs(blobs: readonly WeightBlob[], target: Target): Arenas {
  const limit = Math.min(target.limits.maxStorageBufferBindingSize, target.limits.maxBufferSize);
  const sizes: number[] = [];
  const placed = blobs.map((blob): PlacedBlob => {
    if (blob.texture) return { ...blob, arena: null, offset: 0 };
    const bytes = blob.length * 4;
    let arena = sizes.length - 1;
    let offset = arena < 0 ? 0 : Math.ceil(sizes[arena]! / ALIGNMENT) * ALIGNMENT;
    if (arena < 0 || offset + bytes > limit) {
      arena = sizes.length;
      offset = 0;
    }
    sizes[arena] = offset + bytes;
    return { ...blob, arena, offset };
  });
  return { sizes, blobs: placed };
}
