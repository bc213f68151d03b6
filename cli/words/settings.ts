// The options of commands that compile: their words, read into the engine's settings.

import {
  checkSettings,
  LARGEST_BATCH,
  type ModelSettings,
  PURPOSES,
} from '../../engine/compile/model-settings.ts';
import { trainingStepOf } from '../../engine/compile/training-step.ts';
import { parseAmount, parseBytes, parseChoice, parseCount, parseSize } from '../parse.ts';

/** The options of commands that compile, as they were typed. */
export interface SettingWords {
  readonly batch?: string;
  readonly size?: string;
  readonly taps?: boolean;
  readonly gradient?: boolean;
  readonly gradients?: boolean;
  readonly dropout?: boolean;
  readonly train?: boolean;
  readonly averages?: string;
  readonly accumulate?: boolean;
  readonly clipGradients?: boolean;
  readonly freeze?: string;
  readonly strict?: boolean;
  readonly precision?: string;
  readonly target?: string;
  readonly memory?: string;
  readonly for?: string;
  readonly tuning?: string;
}

/** Reads the words. Throws UsageError for one that is off. */
export function parseSettings(words: SettingWords): ModelSettings {
  const precision = parseChoice(words.precision ?? 'f32', '--precision', ['f32', 'f16']);
  const settings: ModelSettings = {
    batch: words.batch === undefined ? undefined : parseCount(words.batch, '--batch', LARGEST_BATCH),
    size: words.size === undefined ? undefined : parseSize(words.size),
    taps: words.taps,
    gradient: words.gradient,
    gradients: words.gradients,
    dropout: words.dropout,
    trainingStep: trainingStepOf({
      train: words.train,
      averages: words.averages === undefined ? undefined : parseAmount(words.averages, '--averages'),
      accumulate: words.accumulate,
      clip_gradients: words.clipGradients,
      freeze: parseFreeze(words.freeze),
    }),
    strict: words.strict,
    precision: words.precision === undefined ? undefined : precision,
    target: words.target,
    memory: words.memory === undefined ? undefined : parseBytes(words.memory, '--memory'),
    for: words.for === undefined ? undefined : parseChoice(words.for, '--for', PURPOSES),
    tuning: words.tuning,
  };
  checkSettings(settings);
  return settings;
}

/** The patterns of `--freeze`. */
export function parseFreeze(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map((pattern) => pattern.trim());
}
