// What makes the samples of a job what they are: a recipe that all shards share, and which samples there are. Batch,
// order, shard and adapter are not in it, for no image depends on them.

import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import { optionsOf } from '../../runtime/sampler/samplers/index.ts';
import { sha256Of, sha256OfValues, weightsDigest } from '../digest.ts';
import type { ModelHashes } from '../model/open-model.ts';
import { countSamples, type SampleInputs } from './inputs.ts';
import type { SampleJob } from './job.ts';
import type { Recipe } from './manifest.ts';
import { rangesOf } from './ranges.ts';

/** Counted up when the same recipe gives other images than before. */
const SAMPLER_VERSION = 1;

/** What tells the weights of a job: of the model, and of the classifier that guides it, where there is one. */
export interface WeightDigests {
  readonly weights: string;
  readonly classifier_weights: string | null;
}

export async function weightDigests({ options }: SampleJob, takeTurn: TakeTurn): Promise<WeightDigests> {
  const { weights, renameMap, classifier } = options;
  return {
    weights: await weightsDigest(weights, renameMap, takeTurn),
    classifier_weights:
      classifier === undefined
        ? null
        : await weightsDigest(classifier.weights, classifier.renameMap, takeTurn),
  };
}

/** What is known of a recipe before the model is open. */
export function recipeOfJob(job: SampleJob, weights: WeightDigests): Recipe {
  const { sampler, guidance } = job;
  return {
    sampler_version: SAMPLER_VERSION,
    ...weights,
    sampler: sampler.kind,
    eta: null,
    ...optionsOf(sampler),
    steps: job.steps,
    clip: job.clip ? 'yes' : 'no',
    guidance: guidance?.scale ?? null,
    null_class: guidance?.null_class ?? null,
    classifier_scale: job.options.classifier === undefined ? null : job.classifier_scale,
    format: job.format,
    trajectory: job.trajectory,
    downscale: job.downscale,
  };
}

/** The whole recipe. `shape` is that of a sample as it is written, [C, ...space]. */
export function recipeOf(known: Recipe, hashes: ModelHashes, shape: readonly number[]): Recipe {
  const [channels = 1, ...space] = shape;
  return { ...known, ...hashes, channels, size: space.join('x') };
}

/** Which samples a job has, of all shards. */
export function samplesOf(job: SampleJob, inputs: SampleInputs): Recipe {
  return {
    samples: countSamples(job, inputs),
    seeds: job.seeds === null ? null : rangesOf(job.seeds),
    classes: inputs.labels?.join(',') ?? null,
    noise: inputs.noise && sha256OfValues(inputs.noise.tensor.data),
    low_res: inputs.low_res && sha256Of(inputs.low_res.map(({ digest }) => digest).join()),
  };
}
