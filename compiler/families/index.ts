// The table of families, by the key of a graph file that their keywords stand under.

import { diffusers, type Unet2dFile } from './diffusers/family.ts';
import type { Family } from './family.ts';
import { type AdmFile, guidedDiffusion } from './guided-diffusion/family.ts';
import { type ClassifierFile, guidedDiffusionClassifier } from './guided-diffusion-classifier/family.ts';
import { improvedDiffusion, type UnetFile } from './improved-diffusion/family.ts';

/** A graph file of each family with its defaults filled in. */
export interface FamilyFiles {
  readonly unet: UnetFile;
  readonly adm: AdmFile;
  readonly adm_classifier: ClassifierFile;
  readonly unet_2d: Unet2dFile;
}

export type FamilyKey = keyof FamilyFiles;

export const FAMILIES = {
  unet: improvedDiffusion,
  adm: guidedDiffusion,
  adm_classifier: guidedDiffusionClassifier,
  unet_2d: diffusers,
} as const satisfies {
  readonly [K in FamilyKey]: Family<FamilyFiles[K]>;
};

export const FAMILY_KEYS = Object.keys(FAMILIES) as readonly FamilyKey[];

/** The family of a key. */
export function familyOf<K extends FamilyKey>(key: K): Family<FamilyFiles[K]> {
  const table: { readonly [M in FamilyKey]: Family<FamilyFiles[M]> } = FAMILIES;
  return table[key];
}
