// The gradient of group normalisation by what is normalised.

import { type OpRule, WEIGHTS } from './rule.ts';

export const group_norm: OpRule<'group_norm'> = [
  (site) => site.add('group_norm_gradient', [site.operand(0), site.node.inputs[1]!, site.g], site.node.attrs),
  WEIGHTS,
];
