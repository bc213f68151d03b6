// The table of gradients: a rule for each operand of each op, or why there is none.

import { ofActivations } from '../../ops/activations.ts';
import type { OpName } from '../../ops/op.ts';
import { attention } from './attention.ts';
import { channel_add, embedding, film, position_add } from './conditioning.ts';
import { concat, param_concat, reshape, slice, window } from './join.ts';
import { cross_entropy, mse, variational_bound } from './losses.ts';
import { group_norm } from './norm.ts';
import { activation, add, apply_mask, cast, dropout, multiply, rescale, scale } from './pointwise.ts';
import { conv, conv_transpose, linear } from './products.ts';
import { avg_pool, upsample_nearest } from './resample.ts';
import { type OpRule, SECOND } from './rule.ts';

export const GRADIENTS = {
  input: [],
  param: [],
  timestep_embedding: ['none: timesteps are given'],
  linear,
  embedding,
  embedding_gradient: [SECOND],
  ...ofActivations(activation),
  add,
  multiply,
  scale,
  rescale,
  activation_gradient: [SECOND],
  channel_add,
  film,
  film_gradient: [SECOND],
  scale_shift_gradient: [SECOND],
  channel_sum: [SECOND],
  batch_sum: [SECOND],
  position_add,
  dropout,
  dropout_mask: ['none: masks are drawn'],
  apply_mask,
  concat,
  slice,
  window,
  param_concat,
  rows: [SECOND],
  conv,
  conv_transpose,
  conv_weight_gradient: [SECOND],
  group_norm,
  group_norm_gradient: [SECOND],
  group_norm_sums: [SECOND],
  avg_pool,
  upsample_nearest,
  upsample_linear: ['none: only the small image is interpolated, which is given'],
  attention,
  attention_gradient: [SECOND],
  log_softmax_gradient: [SECOND],
  mix: ['none: images and noise are given'],
  mse,
  mse_gradient: [SECOND],
  cross_entropy,
  cross_entropy_gradient: [SECOND],
  top_k: ['none: it counts'],
  variational_bound,
  variational_bound_gradient: [SECOND],
  reshape,
  cast,
} as const satisfies { readonly [N in OpName]: OpRule<N> };
