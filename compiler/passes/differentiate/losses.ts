// Gradients of losses by what the model predicts.

import type { OpRule } from './rule.ts';

const GIVEN = 'none: targets are given';

export const mse: OpRule<'mse'> = [
  (site) => site.add('mse_gradient', [site.operand(0), site.node.inputs[1]!, site.g], {}),
  GIVEN,
];

export const cross_entropy: OpRule<'cross_entropy'> = [
  (site) => site.add('cross_entropy_gradient', [site.operand(0), site.node.inputs[1]!, site.g], {}),
  'none: labels are whole numbers',
];

export const variational_bound: OpRule<'variational_bound'> = [
  (site) => {
    const [, ...given] = site.node.inputs;
    return site.add('variational_bound_gradient', [site.operand(0), ...given, site.g], site.node.attrs);
  },
  GIVEN,
];
