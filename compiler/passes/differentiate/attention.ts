// The gradient of attention by q, k and v.

import type { OpRule } from './rule.ts';

export const attention: OpRule<'attention'> = [
  (site) => site.add('attention_gradient', [site.operand(0), site.g], site.node.attrs),
];
