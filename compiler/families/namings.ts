// The table of namings. A family has one; the explicit form says which, so that a model keeps the names of its checkpoints.

import { diffusersNaming } from './diffusers/naming.ts';
import { improvedDiffusionNaming } from './improved-diffusion/naming.ts';
import type { Naming } from './naming.ts';

export const NAMINGS = {
  'improved-diffusion': improvedDiffusionNaming,
  diffusers: diffusersNaming,
} as const satisfies Readonly<Record<string, Naming>>;

export type NamingName = keyof typeof NAMINGS;

/** The naming of files that name none. */
export const DEFAULT_NAMING: NamingName = 'improved-diffusion';

/** The naming of a name. */
export function namingOf(name: NamingName): Naming {
  return NAMINGS[name];
}
