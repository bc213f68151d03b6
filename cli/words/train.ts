// What `unetc train` is asked to do: the words of the command line, checked as far as words can be.

import { UsageError } from '../../engine/errors.ts';
import { isCheckpointPath } from '../../engine/graph/checkpoint-path.ts';
import { LR_SCHEDULES } from '../../engine/training/rates.ts';
import { MOST_STEPS } from '../../engine/training/settings.ts';
import type { TrainJob } from '../../engine/training/train-job.ts';
import { SCHEDULE_SAMPLERS } from '../../runtime/training/timestep-sampler.ts';
import { parseAmount, parseChoice, parseCount, parseSeed } from '../parse.ts';
import { type DataWords, parseDataOptions } from './data.ts';
import { parseTimeout } from './model.ts';
import { parseFreeze, parseSettings, type SettingWords } from './settings.ts';

/** The options of the command as they were typed. */
export interface TrainWords extends SettingWords, DataWords {
  readonly data?: string;
  readonly valData?: string;
  readonly valInterval?: string;
  readonly valLimit?: string;
  readonly replay?: string;
  readonly output: string;
  readonly weights?: string;
  readonly optimizer?: string;
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly steps?: string;
  readonly microbatch?: string;
  readonly lr?: string;
  readonly weightDecay?: string;
  readonly maxGradNorm?: string;
  readonly lgLossScale?: string;
  readonly fp16ScaleGrowth?: string;
  readonly emaRate?: string;
  readonly emaWarmup?: boolean;
  readonly lrAnnealSteps?: string;
  readonly lrSchedule?: string;
  readonly lrWarmup?: string;
  readonly scheduleSampler?: string;
  readonly seed?: string;
  readonly logInterval?: string;
  readonly saveInterval?: string;
  readonly sampleInterval?: string;
  readonly keep?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  readonly reference?: boolean;
  readonly timeout?: string;
  readonly progress?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** The job of a graph that was read from `path`. Throws UsageError for a word that is off. */
export function parseTrainJob(path: string, words: TrainWords): Omit<TrainJob, 'source'> {
  const { freeze, ...compiled } = words;
  const { batch, size: _, ...settings } = parseSettings(compiled);
  return {
    data: words.data ?? null,
    data_options: parseDataOptions(words),
    replay: words.replay ?? null,
    weights: words.weights ?? (isCheckpointPath(path) ? path : null),
    optimizer: words.optimizer ?? null,
    allow_unexpected: words.allowUnexpected ?? false,
    rename_map: words.renameMap,
    training: {
      batch,
      steps: count(words.steps, '--steps'),
      microbatch: parseMicrobatch(words.microbatch),
      lr: amount(words.lr, '--lr'),
      weight_decay: amount(words.weightDecay, '--weight-decay'),
      max_grad_norm: amount(words.maxGradNorm, '--max-grad-norm'),
      lg_loss_scale: amount(words.lgLossScale, '--lg-loss-scale'),
      fp16_scale_growth: amount(words.fp16ScaleGrowth, '--fp16-scale-growth'),
      freeze: parseFreeze(freeze),
      ema_rate: words.emaRate?.split(',').map((rate) => parseAmount(rate.trim(), '--ema-rate')),
      ema_warmup: words.emaWarmup,
      lr_anneal_steps: countOrNone(words.lrAnnealSteps, '--lr-anneal-steps'),
      lr_schedule:
        words.lrSchedule === undefined
          ? undefined
          : parseChoice(words.lrSchedule, '--lr-schedule', LR_SCHEDULES),
      lr_warmup: countOrNone(words.lrWarmup, '--lr-warmup'),
      schedule_sampler:
        words.scheduleSampler === undefined
          ? undefined
          : parseChoice(words.scheduleSampler, '--schedule-sampler', SCHEDULE_SAMPLERS),
      seed: words.seed === undefined ? undefined : parseSeed(words.seed),
      log_interval: count(words.logInterval, '--log-interval'),
    },
    validation: {
      val_data: words.valData,
      val_interval: count(words.valInterval, '--val-interval'),
      val_limit: count(words.valLimit, '--val-limit'),
    },
    output: {
      save_interval: count(words.saveInterval, '--save-interval'),
      sample_interval: countOrNone(words.sampleInterval, '--sample-interval'),
      keep: words.keep === 'all' ? 'all' : count(words.keep, '--keep'),
      resume: words.resume,
    },
    out: words.output,
    device: {
      ...settings,
      timeout: words.timeout === undefined ? undefined : parseTimeout(words.timeout),
    },
    reference: words.reference ?? false,
  };
}

function count(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : parseCount(text, option, MOST_STEPS);
}

function countOrNone(text: string | undefined, option: string): number | undefined {
  return text === '0' ? 0 : count(text, option);
}

function amount(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : parseAmount(text, option);
}

/** The original's -1 is the whole batch. */
function parseMicrobatch(text: string | undefined): number | undefined {
  if (text === undefined || text === '-1') return undefined;
  if (/^\d+$/.test(text)) return count(text, '--microbatch');
  throw new UsageError(
    `--microbatch: found '${text}', expected a whole number of samples, or -1 for the whole batch`,
  );
}
