// A graph before the rules have passed it: the blocks of either form, and where in the file each layer was said.

import type { Layer } from './graph.ts';

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

export interface Draft {
  /** Input blocks, middle block, output blocks, each in order. */
  readonly blocks: readonly DraftBlock[];
  /** Width of the sinusoidal embedding and of the MLP behind it. */
  readonly time_embed: { readonly channels: number; readonly hidden: number };
  /** JSON pointer of what decides a field of a layer. */
  pointer(place: DraftPlace, field: string): string;
}

/** A layer under discussion: `conv` … with its place. */
export interface DraftLayer extends DraftPlace {
  readonly value: Layer;
}

/** Dotted path of a block's parameters: `input_blocks.3`, `middle_block`, `output_blocks.0`. */
export function blockPath(block: Pick<DraftBlock, 'role' | 'index'>): string {
  return block.role === 'middle' ? 'middle_block' : `${block.role}_blocks.${block.index}`;
}

/** Dotted path of a layer's parameters: `input_blocks.3.0`. */
export function layerPath(place: DraftPlace): string {
  return `${blockPath(place.block)}.${place.layer}`;
}

/** All layers in the order they are computed. */
export function draftLayers(draft: Draft): readonly DraftLayer[] {
  return draft.blocks.flatMap((block) => block.layers.map((value, layer) => ({ block, layer, value })));
}
