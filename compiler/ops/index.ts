// The table of ops.

import { attention } from './attention.ts';
import { avg_pool } from './avg_pool.ts';
import { cast } from './cast.ts';
import { channel_add } from './channel_add.ts';
import { concat } from './concat.ts';
import { conv } from './conv.ts';
import { conv_transpose } from './conv_transpose.ts';
import { embedding } from './embedding.ts';
import { film } from './film.ts';
import { group_norm } from './group_norm.ts';
import { input, param } from './leaf.ts';
import { linear } from './linear.ts';
import type { OpDef, OpName } from './op.ts';
import { param_concat } from './param_concat.ts';
import { activations, add, dropout } from './pointwise.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { timestep_embedding } from './timestep_embedding.ts';
import { upsample_linear } from './upsample_linear.ts';
import { upsample_nearest } from './upsample_nearest.ts';

export const OPS = {
  input,
  param,
  timestep_embedding,
  linear,
  embedding,
  ...activations,
  add,
  channel_add,
  film,
  dropout,
  concat,
  slice,
  param_concat,
  conv,
  conv_transpose,
  group_norm,
  avg_pool,
  upsample_nearest,
  upsample_linear,
  attention,
  reshape,
  cast,
} as const satisfies { readonly [N in OpName]: OpDef<N> };

/** The meaning of the op named `op`, typed by its name. */
export function opDef<N extends OpName>(op: N): OpDef<N> {
  const table: { readonly [M in OpName]: OpDef<M> } = OPS;
  return table[op];
}

/** Whether `name` names an op. */
export function isOpName(name: string): name is OpName {
  return Object.hasOwn(OPS, name);
}
