// The gradients of group normalisation by what is normalised, and by its weight and bias.

import type { OpRule, Site } from './rule.ts';

export const group_norm: OpRule<'group_norm'> = [
  (site) => site.add('group_norm_gradient', [site.operand(0), site.node.inputs[1]!, site.g], site.node.attrs),
  (site) => ofChannels(site, 0),
  (site) => ofChannels(site, 1),
];

/** The sums over samples of g · x̂, which the weight is multiplied with, and of g: one computation for both. */
function ofChannels(site: Site<'group_norm'>, part: 0 | 1): number {
  const sums = site.once('sums', () =>
    site.add('group_norm_sums', [site.operand(0), site.g], site.node.attrs),
  );
  const channels = site.node.type.shape[1]!;
  const mine = site.add('slice', [sums], { start: part * channels, end: (part + 1) * channels });
  return site.add('channel_sum', [mine], {});
}
