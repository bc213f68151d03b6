// Gradients of resampling: what was averaged is spread, what was repeated is summed.

import { sizeOf } from '../../ops/op.ts';
import type { OpRule } from './rule.ts';

/** Each element of a window gets its share; a rest that was dropped gets zero. */
export const avg_pool: OpRule<'avg_pool'> = [
  (site) => {
    const { kernel } = site.node.attrs;
    const share = site.add('scale', [site.g], { factor: 1 / sizeOf(kernel) });
    const spread = site.add('upsample_nearest', [share], { factor: kernel });
    const size = site.typeOf(site.node.inputs[0]!).shape.slice(1);
    const covered = site.typeOf(spread).shape.slice(1);
    if (covered.every((n, d) => n === size[d])) return spread;
    return site.add('window', [spread], { start: size.map(() => 0), size });
  },
];

export const upsample_nearest: OpRule<'upsample_nearest'> = [
  (site) => {
    const { factor } = site.node.attrs;
    const mean = site.add('avg_pool', [site.g], { kernel: factor });
    return site.add('scale', [mean], { factor: sizeOf(factor) });
  },
];
