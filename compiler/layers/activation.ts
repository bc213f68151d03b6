// The activation function of a residual block, behind its norms and in front of its projection of the time embedding.

import { choice } from '../format/fields.ts';
import { ACTIVATIONS, type Activation } from '../ops/activations.ts';

/** The key `activation` of a residual block. */
export const activation = choice(Object.keys(ACTIVATIONS) as [Activation, ...Activation[]])
  .default('silu')
  .describe('The activation function.');
