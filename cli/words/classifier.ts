// The options of commands that a classifier can guide: their words, read into what the engine takes.

import { UsageError } from '../../engine/errors.ts';
import { isCheckpointPath } from '../../engine/graph/checkpoint-path.ts';
import type { ClassifierOptions } from '../../engine/model/open-guided.ts';
import { USUAL_CLASSIFIER_SCALE } from '../../runtime/sampler/classifier.ts';
import { parseChoice } from '../parse.ts';
import type { ModelWords } from './model.ts';

/** The options as they were typed. */
export interface ClassifierWords extends Pick<ModelWords, 'allowUnexpected'> {
  readonly classifier?: string;
  readonly classifierWeights?: string;
  readonly classifierScale?: string;
  readonly classifierPrecision?: string;
}

export interface ParsedClassifier {
  readonly classifier: ClassifierOptions | undefined;
  readonly classifier_scale: number;
}

/** Reads the words. Throws UsageError for one that is off, and for words that do not go together. */
export function parseClassifier(words: ClassifierWords): ParsedClassifier {
  const { classifier, classifierWeights, classifierScale, classifierPrecision, allowUnexpected } = words;
  const classifier_scale =
    classifierScale === undefined ? USUAL_CLASSIFIER_SCALE : parseScale(classifierScale);
  if (classifier === undefined) {
    const beside = { weights: classifierWeights, scale: classifierScale, precision: classifierPrecision };
    const [lost] = Object.entries(beside).flatMap(([name, word]) => (word === undefined ? [] : [name]));
    if (lost === undefined) return { classifier, classifier_scale };
    throw new UsageError(
      `--classifier-${lost}: there is no classifier; name its graph with --classifier, or leave the option out`,
    );
  }
  const weights = classifierWeights ?? (isCheckpointPath(classifier) ? classifier : undefined);
  if (weights === undefined) {
    throw new UsageError(
      '--classifier needs its weights: give --classifier-weights; only a checkpoint of unetc train, given as the classifier, ' +
        'brings its own',
    );
  }
  const precision =
    classifierPrecision === undefined
      ? undefined
      : parseChoice(classifierPrecision, '--classifier-precision', ['f32', 'f16'] as const);
  const options = { model: classifier, weights, allowUnexpected, precision };
  return { classifier: options, classifier_scale };
}

/** Any number that float32 has: below 0 it leads away from the label. */
function parseScale(text: string): number {
  const value = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(Math.fround(value))) return value;
  throw new UsageError(`--classifier-scale: found '${text}', expected a number, such as 1 or 10`);
}
