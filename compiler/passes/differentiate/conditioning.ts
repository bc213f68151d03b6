// Gradients of ops that bring a vector of each sample, or a table of positions, to an activation.

import { type OpRule, same, sumOverSpace, WEIGHTS } from './rule.ts';

/** x + e → g, and its sum over space. */
export const channel_add: OpRule<'channel_add'> = [
  same,
  (site) => sumOverSpace(site, site.g, site.node.inputs[1]!),
];

/** x · (1 + scale) + shift → g · (1 + scale), and the sums of g · x and g over space. */
export const film: OpRule<'film'> = [
  (site) => site.add('film_gradient', [site.g, site.operand(1)], {}),
  (site) => {
    const e = site.node.inputs[1]!;
    const product = site.add('multiply', [site.g, site.operand(0)], {});
    return site.add('concat', [sumOverSpace(site, product, e), sumOverSpace(site, site.g, e)], {});
  },
];

export const position_add: OpRule<'position_add'> = [same, WEIGHTS];
