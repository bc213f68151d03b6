// Gradients of ops that compute each element from the element at its place.

import type { Activation } from '../../ops/activations.ts';
import { castLike, type OpRule, same } from './rule.ts';

/** f(x) → f'(x) · g. */
export function activation(of: Activation): OpRule<Activation> {
  return [(site) => site.add('activation_gradient', [site.operand(0), site.g], { of })];
}

export const add: OpRule<'add'> = [same, same];

export const multiply: OpRule<'multiply'> = [
  (site) => site.add('multiply', [site.g, site.operand(1)], {}),
  (site) => site.add('multiply', [site.g, site.operand(0)], {}),
];

export const scale: OpRule<'scale'> = [(site) => site.add('scale', [site.g], site.node.attrs)];

/** The offset adds nothing. */
export const rescale: OpRule<'rescale'> = [
  (site) => site.add('scale', [site.g], { factor: site.node.attrs.factor }),
];

/** At inference it is the identity. */
export const dropout: OpRule<'dropout'> = [same];

/** The cotangents of what was kept, multiplied alike. */
export const apply_mask: OpRule<'apply_mask'> = [
  (site) => site.add('apply_mask', [site.g, site.operand(1)], site.node.attrs),
  'none: masks are drawn',
];

/** As if nothing were rounded: the cotangent is rounded to the operand's type in turn. */
export const cast: OpRule<'cast'> = [(site) => castLike(site, site.g, site.node.inputs[0]!)];
