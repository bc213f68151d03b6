// How conv_gemm reads weights by the type in which they are stored: a product's as they are stored, and the vectors behind
// it in float32. How they are packed is in `runtime/weights/stored.ts`.

import type { StoredType } from '../../runtime/bundle.ts';
import { type Fragment, joinFragments } from './fragment.ts';

export const READ_WEIGHTS = {
  f32: joinFragments(),
  f16: {
    ...joinFragments(),
    types: { weights: 'array<vec2u>' },
    hooks: {
      weight_product: ['return unpack_quad(weights[at]);'],
      weight_vector: ['return bitcast<vec4f>(vec4u(weights[2u * at], weights[2u * at + 1u]));'],
    },
  },
} as const satisfies Readonly<Record<StoredType, Fragment>>;
