// GroupNorm as layers have it: how many groups, and what is added to the variance. Wu and He 2018, arXiv:1803.08494.

import { z } from 'zod';
import { integer, LIMITS, strict } from '../format/fields.ts';
import type { Fact } from './fact.ts';

export interface Norm {
  readonly groups: number;
  readonly eps: number;
}

/** The norm of improved-diffusion: 32 groups and the epsilon of `nn.GroupNorm`. */
export const DEFAULT_NORM: Norm = { groups: 32, eps: 1e-5 };

const epsilon = 'a number above 0 and at most 1';

const fields = strict({
  groups: integer(1, LIMITS.channels)
    .default(DEFAULT_NORM.groups)
    .describe('Groups that the channels divide into; each is normalised by itself.'),
  eps: z
    .number(epsilon)
    .gt(0, epsilon)
    .lte(1, epsilon)
    .default(DEFAULT_NORM.eps)
    .describe('What is added to the variance.'),
});

/** The key `norm` of layers and of the head. */
export const norm = fields.default(DEFAULT_NORM).describe('GroupNorm.');

/** The key `norm` of layers that may do without. */
export const optionalNorm = fields.nullable().default(DEFAULT_NORM).describe('GroupNorm; null: none.');

/** Whether a norm is that of improved-diffusion. */
export function isUsual({ groups, eps }: Norm): boolean {
  return groups === DEFAULT_NORM.groups && eps === DEFAULT_NORM.eps;
}

/** `16 groups eps 0.000001`. */
export function printNorm({ groups, eps }: Norm): string {
  return `${groups} groups eps ${eps}`;
}

/** No shape shows a norm's groups and epsilon. */
export const normFact: Fact<Norm | null> = {
  changes: 'meaning',
  text: (norm) => (norm === null ? 'none' : printNorm(norm)),
};
