// What the options of a layer mean for weights and numerics: one row an option.

import type { PlacedLayer } from '../graph/graph.ts';
import type { Keys } from './pointers.ts';
import type { RuleId } from './rules.ts';
import type { Unknown } from './side.ts';

export interface LayerFact {
  readonly field: string;
  /** The rule where the parameters keep their names and shapes, and where they do not. */
  readonly reinterpreted: RuleId;
  readonly otherwise: RuleId;
  /** Keys of the compact form that decide it. */
  readonly keys: Keys;
  readonly unknown?: Unknown;
}

export const LAYER_FACTS: readonly LayerFact[] = [
  {
    field: 'heads',
    reinterpreted: 'weights/reinterpreted-heads',
    otherwise: 'numerics/heads',
    keys: ['num_heads', 'num_heads_upsample'],
    unknown: 'heads',
  },
  {
    field: 'method',
    reinterpreted: 'weights/reinterpreted-resampling',
    otherwise: 'numerics/resampling',
    keys: ['upsample', 'conv_resample'],
  },
  {
    field: 'conditioning',
    reinterpreted: 'weights/reinterpreted-conditioning',
    otherwise: 'numerics/conditioning',
    keys: ['use_scale_shift_norm'],
  },
  { field: 'kernel', reinterpreted: 'numerics/kernel', otherwise: 'numerics/kernel', keys: [] },
  { field: 'skip', reinterpreted: 'numerics/skip', otherwise: 'numerics/skip', keys: ['channel_mult'] },
  {
    field: 'dropout',
    reinterpreted: 'numerics/dropout',
    otherwise: 'numerics/dropout',
    keys: ['dropout'],
    unknown: 'dropout',
  },
];

/** The value of an option as text, null where the layer has none of it. */
export function factOf({ layer }: PlacedLayer, field: string): string | null {
  const value = (layer as unknown as Readonly<Record<string, unknown>>)[field];
  return value === undefined ? null : String(value);
}
