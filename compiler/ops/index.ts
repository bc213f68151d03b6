// The table of ops.

import { apply_mask } from './apply_mask.ts';
import { attention } from './attention.ts';
import { attention_gradient } from './attention_gradient.ts';
import { avg_pool } from './avg_pool.ts';
import { cast } from './cast.ts';
import { channel_add } from './channel_add.ts';
import { concat } from './concat.ts';
import { conv } from './conv.ts';
import { conv_transpose } from './conv_transpose.ts';
import { conv_weight_gradient } from './conv_weight_gradient.ts';
import { cross_entropy, cross_entropy_gradient, top_k } from './cross_entropy.ts';
import { dropout_mask } from './dropout_mask.ts';
import { embedding } from './embedding.ts';
import { embedding_gradient } from './embedding_gradient.ts';
import { film } from './film.ts';
import { film_gradient } from './film_gradient.ts';
import { group_norm } from './group_norm.ts';
import { group_norm_gradient } from './group_norm_gradient.ts';
import { input, param } from './leaf.ts';
import { linear } from './linear.ts';
import { log_softmax_gradient } from './log_softmax_gradient.ts';
import { mix } from './mix.ts';
import { mse, mse_gradient } from './mse.ts';
import type { OpDef, OpName } from './op.ts';
import { param_concat } from './param_concat.ts';
import { activation_gradient, activations, add, dropout, multiply, rescale, scale } from './pointwise.ts';
import { position_add } from './position_add.ts';
import { reshape } from './reshape.ts';
import { rows } from './rows.ts';
import { slice } from './slice.ts';
import { batch_sum, channel_sum, group_norm_sums, scale_shift_gradient } from './sums.ts';
import { timestep_embedding } from './timestep_embedding.ts';
import { upsample_linear } from './upsample_linear.ts';
import { upsample_nearest } from './upsample_nearest.ts';
import { variational_bound, variational_bound_gradient } from './variational_bound.ts';
import { window } from './window.ts';

export const OPS = {
  input,
  param,
  timestep_embedding,
  linear,
  embedding,
  embedding_gradient,
  ...activations,
  add,
  multiply,
  scale,
  rescale,
  activation_gradient,
  channel_add,
  film,
  film_gradient,
  scale_shift_gradient,
  channel_sum,
  batch_sum,
  position_add,
  dropout,
  dropout_mask,
  apply_mask,
  concat,
  slice,
  window,
  param_concat,
  rows,
  conv,
  conv_transpose,
  conv_weight_gradient,
  group_norm,
  group_norm_gradient,
  group_norm_sums,
  avg_pool,
  upsample_nearest,
  upsample_linear,
  attention,
  attention_gradient,
  log_softmax_gradient,
  mix,
  mse,
  mse_gradient,
  cross_entropy,
  cross_entropy_gradient,
  top_k,
  variational_bound,
  variational_bound_gradient,
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
