// Whether a classifier's graph says another diffusion process than that of the model that it guides.

import type { Diffusion } from '../../compiler/graph/graph.ts';
import { resolveDiffusion } from '../../compiler/graph/rules-diffusion.ts';
import type { ModelSource } from './model-source.ts';

/** What decides which noise a classifier sees at a timestep, and which number it is fed for it. */
const KEYS = [
  'steps',
  'noise_schedule',
  'beta_start',
  'beta_end',
  'rescale_timesteps',
] as const satisfies readonly (keyof Diffusion)[];

/**
 * A note where the classifier's graph says other noise than the model's, whose process counts: the classifier is fed the
 * model's images at the model's timesteps. A key that has its default says nothing, for most classifiers' graphs leave
 * `diffusion` out.
 */
export function diffusionNotes(model: ModelSource, classifier: ModelSource): readonly string[] {
  const [ours, theirs] = [model.graph.diffusion, classifier.graph.diffusion];
  const usual = resolveDiffusion(undefined, classifier.graph);
  const differing = KEYS.filter((key) => theirs[key] !== usual[key] && theirs[key] !== ours[key]);
  if (differing.length === 0) return [];
  const listed = differing.map((key) => `${key} ${theirs[key]} and not ${ours[key]}`).join(', ');
  return [
    `${classifier.label}: its diffusion has ${listed} as ${model.label}: the model's process counts, and a classifier ` +
      'that was trained with other noise guides badly; give one of the same process, or correct its graph',
  ];
}
