// The table of gradients: a rule for each operand of each op, or why there is none.

import { ofActivations } from '../../ops/activations.ts';
import type { OpName } from '../../ops/op.ts';
import { attention } from './attention.ts';
import { channel_add, film, position_add } from './conditioning.ts';
import { concat, reshape, slice, window } from './join.ts';
import { group_norm } from './norm.ts';
import { activation, add, cast, dropout, multiply, rescale, scale } from './pointwise.ts';
import { conv, conv_transpose, linear } from './products.ts';
import { avg_pool, upsample_nearest } from './resample.ts';
import { type OpRule, SECOND, WEIGHTS } from './rule.ts';

export const GRADIENTS = {
  input: [],
  param: [],
  timestep_embedding: ['none: timesteps are given'],
  linear,
  embedding: [WEIGHTS, 'none: labels are whole numbers'],
  ...ofActivations(activation),
  add,
  multiply,
  scale,
  rescale,
  activation_gradient: [SECOND],
  channel_add,
  film,
  film_gradient: [SECOND],
  position_add,
  dropout,
  concat,
  slice,
  window,
  param_concat: [WEIGHTS],
  conv,
  conv_transpose,
  group_norm,
  group_norm_gradient: [SECOND],
  avg_pool,
  upsample_nearest,
  upsample_linear: ['none: only the small image is interpolated, which is given'],
  attention,
  attention_gradient: [SECOND],
  log_softmax_gradient: [SECOND],
  reshape,
  cast,
} as const satisfies { readonly [N in OpName]: OpRule<N> };
