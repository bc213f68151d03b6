// The blocks of a model before the rules have passed them, and what the graph calls their places.

import type { Layer } from '../layers/index.ts';

/** A TimeEmbedSeq block: input blocks push their output, output blocks read theirs joined with the popped one. */
export interface DraftBlock {
  readonly role: 'input' | 'middle' | 'output';
  /** Position among the blocks of its role. */
  readonly index: number;
  readonly layers: readonly Layer[];
}

/** A layer of a draft, by its block and its position in it. */
export interface DraftPlace {
  readonly block: DraftBlock;
  readonly layer: number;
}

/** Where a block is: `input_blocks.3`, `middle_block`, `output_blocks.0`. Checkpoints may call it otherwise. */
export function blockPath(block: Pick<DraftBlock, 'role' | 'index'>): string {
  return block.role === 'middle' ? 'middle_block' : `${block.role}_blocks.${block.index}`;
}

/** Where a layer is: `input_blocks.3.0`. */
export function layerPath(place: DraftPlace): string {
  return `${blockPath(place.block)}.${place.layer}`;
}

/** Channels that enter the first layer: an image, and with super-resolution the upsampled low_res beside it. */
export function entryChannels(graph: {
  readonly in_channels: number;
  readonly super_resolution?: unknown;
}): number {
  return graph.in_channels * (graph.super_resolution ? 2 : 1);
}
