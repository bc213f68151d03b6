// The tile of a product by single subgroups, as the constants and the inner loop of conv_subgroup.

import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { Tile } from '../../schedule/schedule.ts';
import type { Fragment } from '../fragment.ts';
import { unrolledProducts } from './products.ts';

/** The constants of a tile, and the inner loop among the other hooks. */
export function productOf({ m, n }: Tile, hooks: Fragment['hooks']) {
  const [octets, sets] = [m / 8, n / 32];
  return {
    consts: { OCTETS: octets, SETS: sets, TEXTURE_WIDTH },
    hooks: { ...hooks, multiply: unrolledProducts('sums', octets, sets) },
  };
}
