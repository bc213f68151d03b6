// What `unetc drift` is asked to do: the words of the command line, checked as far as words can be.

import type { DriftJob } from '../../engine/drift/drift.ts';
import { parseAmount } from '../parse.ts';
import { type ModelWords, parseModelOptions } from './model.ts';

/** The words of the call, as commander gives them. */
export interface DriftWords extends Omit<ModelWords, 'taps' | 'gradient'> {
  readonly weightsB?: string;
  readonly renameMapB?: string;
  readonly precisionB?: string;
  readonly targetB?: string;
  readonly tuningB?: string;
  readonly strictB?: boolean;
  readonly referenceB?: boolean;
  readonly inputs?: string;
  readonly tolerance: string;
  readonly svg?: string;
}

/** The job of two models. Throws UsageError. */
export function parseDriftJob(pathA: string, pathB: string, words: DriftWords): DriftJob {
  const { gradients: _, ...opening } = words;
  const options = (path: string, side: ModelWords) => parseModelOptions(path, { ...side, taps: true });
  const own: Partial<ModelWords> = {
    ...(words.weightsB !== undefined && { weights: words.weightsB }),
    ...(words.renameMapB !== undefined && { renameMap: words.renameMapB }),
    ...(words.precisionB !== undefined && { precision: words.precisionB }),
    ...(words.targetB !== undefined && { target: words.targetB }),
    ...(words.tuningB !== undefined && { tuning: words.tuningB }),
    ...(words.strictB !== undefined && { strict: words.strictB }),
    ...(words.referenceB !== undefined && { reference: words.referenceB }),
  };
  return {
    a: { path: pathA, options: options(pathA, opening) },
    b: { path: pathB, options: options(pathB, { ...opening, ...own }) },
    inputs: words.inputs ?? null,
    gradients: words.gradients,
    tolerance: parseAmount(words.tolerance, '--tolerance'),
  };
}
