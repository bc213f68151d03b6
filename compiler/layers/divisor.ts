// What the sum of a residual and its skip is divided by. Source: diffusers, resnet.py (output_scale_factor).

import { z } from 'zod';
import type { OpGraphBuilder } from '../opgraph/build.ts';
import type { Fact } from './fact.ts';

const positive = 'a number above 0';

/** The key `divisor` of layers with a residual. */
export const divisor = z
  .number(positive)
  .gt(0, positive)
  .default(1)
  .describe('What the sum with the residual is divided by.');

/** No shape shows it. */
export const divisorFact: Fact<number> = { changes: 'meaning' };

/** The value divided; itself where it is divided by one. */
export function divided(
  b: OpGraphBuilder,
  value: number,
  layer: { readonly divisor: number },
  path: string,
): number {
  return layer.divisor === 1 ? value : b.add('scale', [value], { factor: 1 / layer.divisor }, path);
}
