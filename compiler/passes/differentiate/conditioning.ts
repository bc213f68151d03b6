// Gradients of ops that bring a vector of each sample, or a table of positions, to an activation.

import { castLike, type OpRule, same, sumOverSpace } from './rule.ts';

/** x + e → g, and its sum over space. */
export const channel_add: OpRule<'channel_add'> = [
  same,
  (site) => sumOverSpace(site, site.g, site.node.inputs[1]!),
];

/** x · (1 + scale) + shift → g · (1 + scale), and the sums of g · x and g over space. */
export const film: OpRule<'film'> = [
  (site) => site.add('film_gradient', [site.g, site.operand(1)], {}),
  (site) => {
    const sums = site.add('scale_shift_gradient', [site.operand(0), site.g], {});
    return castLike(site, sums, site.node.inputs[1]!);
  },
];

/** x + p → g, and its sum over samples. */
export const position_add: OpRule<'position_add'> = [same, (site) => site.add('batch_sum', [site.g], {})];

/** The rows of each label get the cotangents of the samples that have it. */
export const embedding: OpRule<'embedding'> = [
  (site) => {
    const [table, labels] = site.node.inputs;
    return site.add('embedding_gradient', [site.g, labels!], { rows: site.typeOf(table!).shape[0]! });
  },
  'none: labels are whole numbers',
];
