// Ancestral sampling: a draw from p(x_t-1 | x_t).
//
//   x_t-1 = mean + exp(log_variance / 2) noise                       (Ho et al. 2020, algorithm 2)
//
// A classifier moves the mean (guided.ts). Arrays and float32 arithmetic as in distribution.ts.

import { type StepDistribution, stepDistribution } from '../distribution.ts';
import { conditionMean } from '../guided.ts';
import { leavesNoise } from '../process.ts';
import type { SamplerDef } from './sampler.ts';

const f32 = Math.fround;

export const ddpm: SamplerDef<Readonly<Record<never, never>>> = {
  about: 'ancestral sampling, for all steps or hundreds of them',
  defaults: {},
  check: () => undefined,
  *step({ process, index, x, clip, noise }) {
    const { output, gradient } = yield { index, x };
    const unguided = stepDistribution(process, index, x, output, clip);
    const step = gradient === null ? unguided : conditionMean(unguided, gradient);
    return {
      x: ddpmSample(step, leavesNoise(process, index) ? noise() : null),
      guess: step.pred_xstart,
      kept: null,
    };
  },
};

/** @param noise standard normal of the sample's length; null for the mean, which the last step takes */
export function ddpmSample(
  { mean, log_variance }: StepDistribution,
  noise: Float32Array | null,
): Float32Array {
  if (noise === null) return mean.slice();
  return mean.map((m, i) => m + f32(f32(Math.exp(f32(0.5 * log_variance[i]!))) * noise[i]!));
}
