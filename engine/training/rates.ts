// What changes from step to step by the number of the step alone: the learning rate, and the rates of moving averages.
//
//   learning rate   lr · min(1, (s + 1) / W) · decay(p),   p = (s - W) / (N - W) behind the warm-up, 0 within it
//   decay           constant: 1;   linear: 1 - p;   cosine: (1 + cos πp) / 2
//   moving average  min(rate, (1 + n) / (10 + n))
//
// s: the step from 0, W: `lr_warmup`, N: `lr_anneal_steps`, n: updates, this one among them. Without a warm-up the line is that
// of improved-diffusion (train_util.py, _anneal_lr). Sources: Loshchilov and Hutter 2017, arXiv:1608.03983, for the cosine
// without restarts; tf.train.ExponentialMovingAverage (num_updates), which latent diffusion's ema.py follows, for averages.

export const LR_SCHEDULES = ['constant', 'linear', 'cosine'] as const;
export type LrSchedule = (typeof LR_SCHEDULES)[number];

export interface LearningRateSettings {
  readonly lr: number;
  readonly lr_schedule: LrSchedule;
  /** Steps in which it rises. */
  readonly lr_warmup: number;
  /** The step at which it has fallen to 0; 0 where it stays. */
  readonly lr_anneal_steps: number;
}

export interface AverageSettings {
  readonly ema_rates: readonly number[];
  readonly ema_warmup: boolean;
}

/** The learning rate of a step. */
export function learningRate(settings: LearningRateSettings, step: number): number {
  const { lr, lr_schedule, lr_warmup, lr_anneal_steps } = settings;
  if (step < lr_warmup) return lr * ((step + 1) / lr_warmup);
  switch (lr_schedule) {
    case 'constant':
      return lr;
    case 'linear':
      return lr * (1 - (step - lr_warmup) / (lr_anneal_steps - lr_warmup));
    case 'cosine':
      return (lr * (1 + Math.cos((Math.PI * (step - lr_warmup)) / (lr_anneal_steps - lr_warmup)))) / 2;
  }
}

/** The rates by which an update changes the moving averages. `update` counts from 1. */
export function averageRates({ ema_rates, ema_warmup }: AverageSettings, update: number): readonly number[] {
  if (!ema_warmup) return ema_rates;
  return ema_rates.map((rate) => Math.min(rate, (1 + update) / (10 + update)));
}
