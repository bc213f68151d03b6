// The table of layers, and that of what stands beside the blocks.

import type { z } from 'zod';
import { type AdaptivePool, adaptive_pool } from './adaptive_pool.ts';
import { type AttentionLayer, attention } from './attention.ts';
import { type AttentionPool, attention_pool } from './attention_pool.ts';
import { type ConvLayer, conv } from './conv.ts';
import { type DownsampleLayer, downsample } from './downsample.ts';
import { type Head, head } from './head.ts';
import { type IdentityLayer, identity } from './identity.ts';
import { type LabelEmb, label_emb } from './label_emb.ts';
import type { LayerDef, ModuleDef } from './layer.ts';
import { type ResBlockLayer, res_block } from './res_block.ts';
import type { Scope } from './scope.ts';
import { type SpatialPool, type SpatialPoolV2, spatial_pool, spatial_pool_v2 } from './spatial_pool.ts';
import { type TimeEmbed, time_embed } from './time_embed.ts';
import { type UpsampleLayer, upsample } from './upsample.ts';

/** A layer of a TimeEmbedSeq block, as its schema reads it. */
export type Layer =
  | ConvLayer
  | ResBlockLayer
  | AttentionLayer
  | DownsampleLayer
  | UpsampleLayer
  | IdentityLayer;
export type LayerType = Layer['type'];
export type LayerOf<T extends LayerType> = Extract<Layer, { type: T }>;

export const LAYERS = { conv, res_block, attention, downsample, upsample, identity } as const satisfies {
  readonly [T in LayerType]: LayerDef<LayerOf<T>, string, unknown>;
};

/** A layer as a file says it: what has a default may be left out. */
export type WrittenOf<T extends LayerType> = z.input<(typeof LAYERS)[T]['schema']>;
export type WrittenLayer = WrittenOf<LayerType>;

/** What has parameters beside the blocks. A classifier has one of the pools, any other model the head `out`. */
export interface Besides {
  readonly time_embed: TimeEmbed;
  readonly label_emb: LabelEmb;
  readonly out: Head;
  readonly adaptive_pool: AdaptivePool;
  readonly attention_pool: AttentionPool;
  readonly spatial_pool: SpatialPool;
  readonly spatial_pool_v2: SpatialPoolV2;
}

export const BESIDES = {
  time_embed,
  label_emb,
  out: head,
  adaptive_pool,
  attention_pool,
  spatial_pool,
  spatial_pool_v2,
} as const satisfies {
  readonly [K in keyof Besides]: ModuleDef<Besides[K]>;
};

type Defs = typeof LAYERS & typeof BESIDES;

/** Whatever has parameters. */
export type ModuleType = keyof Defs;

/** The names of a module's parts. */
export type PartOf<T extends ModuleType> = Defs[T] extends {
  lower(m: never, at: Scope<infer P>, x: number): number;
}
  ? P
  : never;

/** The meaning of the layers of one type. */
export function layerDef<T extends LayerType>(type: T): LayerDef<LayerOf<T>, PartOf<T>, WrittenOf<T>> {
  const table: { readonly [M in LayerType]: LayerDef<LayerOf<M>, PartOf<M>, WrittenOf<M>> } = LAYERS;
  return table[type];
}

/** The meaning of what stands beside the blocks. */
export function besideDef<K extends keyof Besides>(key: K): ModuleDef<Besides[K], PartOf<K>> {
  const table: { readonly [M in keyof Besides]: ModuleDef<Besides[M], PartOf<M>> } = BESIDES;
  return table[key];
}
