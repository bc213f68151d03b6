// What is said of an evaluation beside its numbers.

import type { DiffusionSettings } from '../../runtime/sampler/process.ts';
import type { EvaluationJob } from './job.ts';

/** What a caller should know of how far the numbers mean what they mean elsewhere. */
export function evaluationNotes(
  { clip_range }: Pick<DiffusionSettings, 'clip_range'>,
  { precision }: EvaluationJob['options'],
): readonly string[] {
  return [
    ...(clip_range === 1
      ? []
      : [
          `the last step's term takes values as 256 levels over [-1, 1], and the graph's clip_range is ${clip_range}: compare bounds of such models with each other only`,
        ]),
    ...(precision === 'f16'
      ? [
          "float16 moves the model's output by about 1e-3, and the terms of the least noisy steps most; compare with other numbers in float32",
        ]
      : []),
  ];
}
