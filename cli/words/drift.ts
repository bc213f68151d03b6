// What `unetc drift` is asked to do: the words of the command line, checked as far as words can be.

import type { DriftJob } from '../../engine/drift/drift.ts';
import { parseAmount } from '../parse.ts';
import { parseSettings, type SettingWords } from './settings.ts';

/** The words of the call, as commander gives them. */
export interface DriftWords extends Omit<SettingWords, 'taps' | 'strict'> {
  readonly weights: string;
  readonly weightsB?: string;
  readonly allowUnexpected?: boolean;
  readonly precisionB?: string;
  readonly inputs?: string;
  readonly tolerance: string;
  readonly strict?: boolean;
  readonly strictB?: boolean;
  readonly reference?: boolean;
  readonly referenceB?: boolean;
  readonly svg?: string;
}

/** The job of two models. Throws UsageError. */
export function parseDriftJob(pathA: string, pathB: string, words: DriftWords): DriftJob {
  const tolerance = parseAmount(words.tolerance, '--tolerance');
  const { weightsB, precisionB, strictB, referenceB, reference = false, allowUnexpected, ...common } = words;
  const a = {
    path: pathA,
    weights: words.weights,
    settings: parseSettings({ ...common, taps: true }),
    reference,
    allowUnexpected,
  };
  const b = {
    path: pathB,
    weights: weightsB ?? words.weights,
    settings: parseSettings({
      ...common,
      taps: true,
      ...(precisionB === undefined ? {} : { precision: precisionB }),
      ...(strictB === undefined ? {} : { strict: strictB }),
    }),
    reference: referenceB ?? reference,
    allowUnexpected,
  };
  return { a, b, inputs: words.inputs ?? null, tolerance };
}
