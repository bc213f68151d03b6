// The label embedding of a class-conditional model, added to the time embedding.

import type { ModuleDef } from './layer.ts';

export interface LabelEmb {
  readonly classes: number;
  /** Width of the time embedding. */
  readonly hidden: number;
}

export const label_emb = {
  parameters: ({ classes, hidden }) => [{ part: 'table', tensor: 'weight', shape: [classes, hidden] }],
  /** `x` is the time embedding; the result is the same with the label's added. */
  lower(_module, at, x) {
    const table = at.param('table', 'weight');
    const label = at.b.add('embedding', [table, at.rowInput('y', 'u32')], {}, at.path());
    return at.b.add('add', [x, label], {}, at.path());
  },
  facts: {},
} as const satisfies ModuleDef<LabelEmb, 'table'>;
