// How weights are read by the type in which a product's are stored: these as they are stored, and the vectors behind them in
// float32. How they are packed is in `runtime/weights/stored.ts`.

import type { StoredType } from '../../runtime/bundle.ts';
import { type Fragment, joinFragments } from './fragment.ts';

type Reads = Readonly<Record<StoredType, Fragment>>;

/** The vectors alone. */
export const READ_VECTORS: Reads = {
  f32: joinFragments(),
  f16: {
    ...joinFragments(),
    types: { weights: 'array<vec2u>' },
    hooks: {
      weight_vector: ['return bitcast<vec4f>(vec4u(weights[2u * at], weights[2u * at + 1u]));'],
    },
  },
};

/** The product's weights and the vectors. */
export const READ_WEIGHTS: Reads = {
  f32: READ_VECTORS.f32,
  f16: joinFragments(READ_VECTORS.f16, {
    ...joinFragments(),
    hooks: { weight_product: ['return unpack_quad(weights[at]);'] },
  }),
};
