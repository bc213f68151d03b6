// The table of samplers. The words of the command line, the type that callers give, the recipe of a job and the list in
// docs/sampling.md all derive from it.

import { RuntimeError } from '../../errors.ts';
import { ddim } from './ddim.ts';
import { ddpm } from './ddpm.ts';
import { dpmpp } from './dpmpp.ts';
import type { SamplerDef } from './sampler.ts';

export const SAMPLERS = { ddpm, ddim, dpmpp } as const satisfies Readonly<Record<string, SamplerDef<object>>>;

export type SamplerKind = keyof typeof SAMPLERS;

type OptionsOf<K extends SamplerKind> = (typeof SAMPLERS)[K]['defaults'];

/** How to walk the chain: the name of a sampler, with its options. */
export type Sampler = { [K in SamplerKind]: { readonly kind: K } & OptionsOf<K> }[SamplerKind];

/** The names, in the order in which they are listed. */
export const SAMPLER_KINDS = Object.keys(SAMPLERS) as readonly SamplerKind[];

/**
 * The definition of a sampler. Its functions are given the sampler itself for their options. Callers in JavaScript may give
 * anything: throws RuntimeError('input') for a kind that is none.
 */
export function samplerDef({ kind }: Sampler): SamplerDef<object> {
  if (Object.hasOwn(SAMPLERS, String(kind))) return SAMPLERS[kind];
  throw new RuntimeError(
    'input',
    `sampler: its kind is ${String(kind)}, expected one of ${SAMPLER_KINDS.join(', ')}, as in { kind: 'ddim', eta: 0 }`,
  );
}

/** A sampler with the options of its table, and those that are said. */
export function samplerOf(kind: SamplerKind, options: Readonly<Record<string, number>> = {}): Sampler {
  return { kind, ...SAMPLERS[kind].defaults, ...options } as Sampler;
}

/** What is walked with where nobody says: DDIM where the steps are at its stride, such as `ddim50`. */
export function usualSampler(steps: string): Sampler {
  return samplerOf(steps.startsWith('ddim') ? 'ddim' : 'ddpm');
}

/** The options of a sampler by name. */
export function optionsOf({ kind: _, ...options }: Sampler): Readonly<Record<string, number>> {
  return options;
}
