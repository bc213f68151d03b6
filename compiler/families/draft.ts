// A graph before the rules have passed it: what the keywords of a family, or the blocks of the explicit form, come to.

import type { Layer } from '../layers/index.ts';
import type { Norm } from '../layers/norm.ts';
import type { Pool } from '../layers/pool.ts';
import type { TimeEmbed } from '../layers/time_embed.ts';
import type { DraftBlock, DraftPlace } from './blocks.ts';
import type { NamingName } from './namings.ts';

export interface Draft {
  readonly dims: 1 | 2 | 3;
  /** Channels of one image. */
  readonly in_channels: number;
  readonly out_channels: number;
  readonly num_classes: number | null;
  readonly time_embed: TimeEmbed;
  /** Input blocks, middle block, output blocks, each in order. */
  readonly blocks: readonly DraftBlock[];
  readonly head: { readonly norm: Norm };
  /** Whether the model computes on 2x - 1; default: on x. */
  readonly center_input?: boolean;
  /** Whether training recomputes blocks; default: it does not. */
  readonly use_checkpoint?: boolean;
  /** What makes it a classifier, which has no output blocks. */
  readonly pool?: Pool;
  /** What the model's checkpoints call its parameters. */
  readonly naming: NamingName;
  /** JSON pointer of what decides a field of a layer, or with null a field of the model. */
  pointer(place: DraftPlace | null, field: string): string;
}

/** A layer under discussion: `conv` … with its place. */
export interface DraftLayer extends DraftPlace {
  readonly value: Layer;
}

/** All layers in the order they are computed. */
export function draftLayers(draft: Draft): readonly DraftLayer[] {
  return draft.blocks.flatMap((block) => block.layers.map((value, layer) => ({ block, layer, value })));
}
