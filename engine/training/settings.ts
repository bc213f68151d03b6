// The settings of a run of training with their defaults, checked: names and meanings are the original's.

import { LARGEST_SEED } from '../../runtime/sampler/noise.ts';
import { INITIAL_LOG_SCALE, LEAST_LOG_SCALE, LOG_SCALE_GROWTH } from '../../runtime/training/loss-scale.ts';
import { SCHEDULE_SAMPLERS, type ScheduleSampler } from '../../runtime/training/timestep-sampler.ts';
import { LARGEST_BATCH } from '../compile/model-settings.ts';
import { UsageError } from '../errors.ts';
import { type AverageSettings, type LearningRateSettings, LR_SCHEDULES, type LrSchedule } from './rates.ts';

/** As callers give them. */
export interface TrainingOptions {
  /** The number of the step that the run ends before: 1000 for a thousand steps. Default: `lr_anneal_steps`, else no end. */
  readonly steps?: number | undefined;
  /** Samples of a step. Default 16. */
  readonly batch?: number | undefined;
  /** Samples that are computed at once. Default: the whole batch. */
  readonly microbatch?: number | undefined;
  /** The learning rate. Default 1e-4. */
  readonly lr?: number | undefined;
  /** AdamW's decay of all parameters. Default 0. */
  readonly weight_decay?: number | undefined;
  /** The largest norm of all gradients: larger ones are scaled down to it. Default: as large as they are. */
  readonly max_grad_norm?: number | undefined;
  /** The rate of a moving average of the parameters, or a list of rates. Default 0.9999. */
  readonly ema_rate?: number | readonly number[] | undefined;
  /** Takes less than its rate of a moving average while there were few updates. Default false. */
  readonly ema_warmup?: boolean | undefined;
  /** The step at which the learning rate has fallen to 0. Default 0: it stays. */
  readonly lr_anneal_steps?: number | undefined;
  /** How it falls: `linear` or `cosine`; `constant`: it stays. Default `linear` where `lr_anneal_steps` says until when. */
  readonly lr_schedule?: LrSchedule | undefined;
  /** Steps in which the learning rate rises to `lr`, in a line. Default 0. */
  readonly lr_warmup?: number | undefined;
  /**
   * Parameters that stay as they are: names, beginnings of names up to a dot, or patterns with `*` and `?`. They take no part in
   * gradients and moments. Default: none.
   */
  readonly freeze?: string | readonly string[] | undefined;
  /** How timesteps are drawn: `uniform` or `loss-second-moment`. Default `uniform`. */
  readonly schedule_sampler?: ScheduleSampler | undefined;
  /** What noise, timesteps, dropout, the order of the data and initial weights are drawn from. Default 0. */
  readonly seed?: number | undefined;
  /** In float16 the logarithm to base 2 of what the loss is multiplied by at first. Default 20. */
  readonly lg_loss_scale?: number | undefined;
  /** What a step that is taken adds to it; one whose gradients overflow takes 1 away. Default 1e-3. */
  readonly fp16_scale_growth?: number | undefined;
  /** Steps from one row of the log to the next. Default 10. */
  readonly log_interval?: number | undefined;
}

/** With their defaults. */
export interface TrainingSettings extends LearningRateSettings, AverageSettings {
  /** Infinity for a run without an end. */
  readonly steps: number;
  readonly batch: number;
  readonly microbatch: number;
  readonly weight_decay: number;
  readonly max_grad_norm: number | undefined;
  /** Patterns of parameters that stay as they are. */
  readonly freeze: readonly string[];
  readonly schedule_sampler: ScheduleSampler;
  /** Where activations and their gradients are float16, how the loss is scaled; else null. */
  readonly half: HalfSettings | null;
  readonly seed: number;
  readonly log_interval: number;
}

/** The logarithm to base 2 of the loss's scale at first, and what steps add to it. */
export interface HalfSettings {
  readonly lg_loss_scale: number;
  readonly fp16_scale_growth: number;
}

export const TRAINING_DEFAULTS = {
  batch: 16,
  lr: 1e-4,
  weight_decay: 0,
  ema_rate: 0.9999,
  ema_warmup: false,
  lr_anneal_steps: 0,
  lr_warmup: 0,
  schedule_sampler: 'uniform',
  seed: 0,
  log_interval: 10,
} as const satisfies Omit<
  TrainingOptions,
  'steps' | 'microbatch' | 'lr_schedule' | 'max_grad_norm' | 'freeze' | 'lg_loss_scale' | 'fp16_scale_growth'
>;

/** Steps are a word of Philox' counter. */
export const MOST_STEPS = 2 ** 32 - 1;
const MOST_RATES = 16;
const LARGEST_NORM = 1e30;

/** Settings of options. Throws UsageError for one that is off. `batch` and `steps` are what the caller knows to be usual, `half` whether the run is in float16. */
export function trainingSettings(
  options: TrainingOptions,
  usual: { readonly batch?: number; readonly steps?: number; readonly half?: boolean } = {},
): TrainingSettings {
  const { lr, weight_decay, ema_warmup, lr_anneal_steps, lr_warmup, schedule_sampler, seed, log_interval } = {
    ...TRAINING_DEFAULTS,
    ...given(options),
  };
  const lr_schedule = options.lr_schedule ?? (lr_anneal_steps > 0 ? 'linear' : 'constant');
  const batch = options.batch ?? usual.batch ?? TRAINING_DEFAULTS.batch;
  const microbatch = options.microbatch ?? batch;
  const rates = options.ema_rate ?? TRAINING_DEFAULTS.ema_rate;
  const ema_rates = typeof rates === 'number' ? [rates] : rates;
  const annealed = lr_anneal_steps > 0 ? lr_anneal_steps : Number.POSITIVE_INFINITY;
  const steps = options.steps ?? usual.steps ?? annealed;
  const whole = { batch: LARGEST_BATCH, microbatch: LARGEST_BATCH, log_interval: MOST_STEPS };
  for (const [name, most] of Object.entries(whole)) {
    checkWhole(name, { batch, microbatch, log_interval }[name as keyof typeof whole], 1, most);
  }
  checkWhole('lr_anneal_steps', lr_anneal_steps, 0, MOST_STEPS);
  if (steps !== Number.POSITIVE_INFINITY) checkWhole('steps', steps, 1, MOST_STEPS);
  checkWhole('seed', seed, 0, LARGEST_SEED);
  if (!(lr > 0 && lr <= 1)) throw off('lr', lr, 'a number above 0 and at most 1, such as 1e-4');
  if (!(weight_decay >= 0 && weight_decay <= 1))
    throw off('weight_decay', weight_decay, 'a number from 0 to 1');
  const { max_grad_norm } = options;
  if (max_grad_norm !== undefined && !(max_grad_norm > 0 && max_grad_norm <= LARGEST_NORM)) {
    throw off('max_grad_norm', max_grad_norm, 'a number above 0, such as 1; leave it out for none');
  }
  const { freeze: said = [] } = options;
  const freeze = typeof said === 'string' ? [said] : said;
  if (freeze.includes(''))
    throw off('freeze', 'an empty name', 'names or patterns of parameters, such as time_embed');
  checkRates(ema_rates);
  if (!SCHEDULE_SAMPLERS.includes(schedule_sampler)) {
    throw off('schedule_sampler', `'${schedule_sampler}'`, SCHEDULE_SAMPLERS.join(' or '));
  }
  checkSchedule({ lr_schedule, lr_anneal_steps, lr_warmup });
  if (lr_anneal_steps > 0 && steps > lr_anneal_steps) {
    throw new UsageError(
      (option) =>
        `${option('steps')}: found ${steps}, and the learning rate is 0 from step ${lr_anneal_steps} on; make it at most ` +
        `${option('lr_anneal_steps')}, or that larger`,
    );
  }
  if (microbatch > batch) {
    throw new UsageError(
      (option) =>
        `${option('microbatch')}: found ${microbatch}, expected at most the batch of ${batch}; leave it out for a step in one piece`,
    );
  }
  return {
    ...{ steps, batch, microbatch, lr, weight_decay, ema_rates, ema_warmup, lr_anneal_steps, lr_schedule },
    half: halfSettings(options, usual.half ?? false),
    ...{ lr_warmup, max_grad_norm, freeze, schedule_sampler, seed, log_interval },
  };
}

/** Gradients are float32 times the scale: from here on the loss itself would be beyond it. */
const LARGEST_LOG_SCALE = 100;

function halfSettings(options: TrainingOptions, half: boolean): HalfSettings | null {
  const { lg_loss_scale = INITIAL_LOG_SCALE, fp16_scale_growth = LOG_SCALE_GROWTH } = options;
  if (!(lg_loss_scale >= LEAST_LOG_SCALE && lg_loss_scale <= LARGEST_LOG_SCALE)) {
    const range = `a number from ${LEAST_LOG_SCALE} to ${LARGEST_LOG_SCALE}, such as ${INITIAL_LOG_SCALE}`;
    throw off('lg_loss_scale', lg_loss_scale, `${range}: the loss is multiplied by 2 to its power`);
  }
  if (!(fp16_scale_growth >= 0 && fp16_scale_growth <= 1))
    throw off('fp16_scale_growth', fp16_scale_growth, 'a number from 0 to 1, such as 1e-3');
  if (half) return { lg_loss_scale, fp16_scale_growth };
  const said = (['lg_loss_scale', 'fp16_scale_growth'] as const).find((name) => options[name] !== undefined);
  if (said === undefined) return null;
  throw new UsageError(
    (option) =>
      `${option(said)}: in float32 the loss is not scaled; leave it out, or train with ${option('precision')} f16`,
  );
}

/** A rate as Python prints it, which is how the original names the files of moving averages. */
export function rateText(rate: number): string {
  return String(rate).replace(/e-(\d)$/, 'e-0$1');
}

/** Throws UsageError where a whole number is none, or out of its range. */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw off(name, value, `a whole number from ${least} to ${most}`);
}

function checkSchedule({ lr_schedule, lr_anneal_steps, lr_warmup }: Omit<LearningRateSettings, 'lr'>): void {
  if (!LR_SCHEDULES.includes(lr_schedule)) {
    throw off('lr_schedule', `'${lr_schedule}'`, LR_SCHEDULES.join(', '));
  }
  checkWhole('lr_warmup', lr_warmup, 0, MOST_STEPS);
  if ((lr_schedule === 'constant') !== (lr_anneal_steps === 0)) {
    throw new UsageError((option) =>
      lr_schedule === 'constant'
        ? `${option('lr_schedule')} constant: the learning rate stays, and ${option('lr_anneal_steps')} says that it falls to 0; leave one of them out`
        : `${option('lr_schedule')} ${lr_schedule}: the learning rate falls to 0; say at which step with ${option('lr_anneal_steps')}`,
    );
  }
  if (lr_anneal_steps > 0 && lr_warmup >= lr_anneal_steps) {
    throw new UsageError(
      (option) =>
        `${option('lr_warmup')}: found ${lr_warmup}, and the learning rate is 0 from step ${lr_anneal_steps} on; make it less ` +
        `than ${option('lr_anneal_steps')}`,
    );
  }
}

function checkRates(rates: readonly number[]): void {
  const expected = 'rates of moving averages above 0 and below 1, such as 0.9999 or 0.999,0.9999';
  if (!Array.isArray(rates) || rates.length === 0 || rates.length > MOST_RATES) {
    throw off('ema_rate', Array.isArray(rates) ? `${rates.length} rates` : String(rates), expected);
  }
  const wrong = rates.find((rate) => !(rate > 0 && rate < 1));
  if (wrong !== undefined) throw off('ema_rate', wrong, expected);
  if (new Set(rates).size !== rates.length) throw off('ema_rate', 'a rate twice', 'each rate once');
}

function off(name: string, found: unknown, expected: string): UsageError {
  return new UsageError((option) => `${option(name)}: found ${found}, expected ${expected}`);
}

/** Without what is undefined. */
function given<Options extends object>(
  options: Options,
): Partial<{ [K in keyof Options]: Exclude<Options[K], undefined> }> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
