// The scheduler_config.json of diffusers as the process of a graph file: what its scheduler says of training and sampling in
// this project's words, and by name what no graph can express. Source: diffusers, scheduling_ddpm.py, scheduling_ddim.py.

import { z } from 'zod';
import type { Diagnostic } from '../diagnostics.ts';
import type { JsonObject } from '../families/family.ts';
import { explainIssues } from '../format/faults.ts';
import { choice, flag, integer, LIMITS } from '../format/fields.ts';
import type { Json } from '../format/json.ts';

/** The `diffusion` of a graph, and what its user should be told. */
export interface ImportedProcess {
  readonly diffusion: JsonObject;
  readonly notes: readonly string[];
}

/** What is known of the model that the process is for. */
export interface ProcessOf {
  readonly in_channels: number;
  readonly out_channels: number;
}

/** Schedulers whose sampling is expressed, too. */
const WHOLE = /^(DDPM|DDIM)(Parallel)?Scheduler$/;

/** Schedulers of other samplers over the same processes: of them the process is taken. */
const TRAINED_ALIKE =
  /^(PNDM|DPMSolver(Multistep|Singlestep|SDE)|UniPCMultistep|DEISMultistep|Euler(Ancestral)?Discrete|HeunDiscrete|LMSDiscrete|KDPM2(Ancestral)?Discrete|SASolver|LCM|TCD)Scheduler$/;

const PREDICTIONS = { epsilon: 'epsilon', sample: 'x_start', v_prediction: 'v' } as const;
const SCHEDULES = { linear: 'linear', scaled_linear: 'scaled_linear', squaredcos_cap_v2: 'cosine' } as const;
const VARIANCES = {
  fixed_small: 'fixed_small',
  fixed_small_log: 'fixed_small',
  fixed_large: 'fixed_large',
  fixed_large_log: 'fixed_large',
  learned: 'learned',
  learned_range: 'learned_range',
} as const;

/** Schedulers whose betas are those of Stable Diffusion where none are said, and their schedule. */
const OTHER_BETAS: readonly (readonly [name: RegExp, beta_schedule: keyof typeof SCHEDULES])[] = [
  [/^(HeunDiscrete|KDPM2(Ancestral)?Discrete|DPMSolverSDE)Scheduler$/, 'linear'],
  [/^(LCM|TCD)Scheduler$/, 'scaled_linear'],
];

const share = 'a number above 0 and below 1';
const beta = (usual: number) => z.number(share).gt(0, share).lt(1, share).default(usual);
const words = <T extends object>(table: T) =>
  choice(Object.keys(table) as [keyof T & string, ...(keyof T & string)[]]);
const never = (key: string, why: string) =>
  z.literal(false, `false: ${why}, which no graph can express (${key})`).nullable().default(false);
const positive = 'a number above 0';

/** What schedulers of every kind say of the process in training, with their defaults. */
const process = {
  num_train_timesteps: integer(2, LIMITS.steps).default(1000),
  beta_start: beta(0.0001),
  beta_end: beta(0.02),
  beta_schedule: words(SCHEDULES).default('linear'),
  trained_betas: z
    .null('null: betas that are listed one by one are no schedule, which a graph needs')
    .default(null),
  prediction_type: words(PREDICTIONS).default('epsilon'),
  rescale_betas_zero_snr: never('rescale_betas_zero_snr', 'betas are rescaled to end in pure noise'),
};

/** What DDPM and DDIM add. */
const sampling = {
  variance_type: words(VARIANCES).default('fixed_small'),
  clip_sample: flag().default(true),
  clip_sample_range: z.number(positive).gt(0, positive).default(1),
  thresholding: never('thresholding', 'guesses at the image are clipped at a quantile of their own'),
  timestep_spacing: choice(['leading', 'trailing', 'linspace']).default('leading'),
  steps_offset: integer(0, LIMITS.steps).default(0),
  set_alpha_to_one: flag().default(true),
};

const whole = z.looseObject({ ...process, ...sampling });
type Whole = z.output<typeof whole>;

/** The process of a scheduler_config.json; or every fault, with its place in it. */
export function importScheduler(
  config: Json,
  model: ProcessOf,
): ImportedProcess | { readonly faults: readonly Diagnostic[] } {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    return refused('', 'expected an object, as save_pretrained of a scheduler writes it');
  }
  const said = config as JsonObject;
  const name = said._class_name ?? 'DDPMScheduler';
  if (typeof name !== 'string') return refused('/_class_name', 'expected the name of a scheduler');
  const samples = WHOLE.test(name);
  if (!samples && !TRAINED_ALIKE.test(name)) {
    return refused(
      '/_class_name',
      `found ${JSON.stringify(name)}, whose noise is not that of betas over timesteps, which a graph needs; use the scheduler that the model was trained with (mostly DDPMScheduler), or leave the process out with --scheduler none`,
    );
  }
  const schema: z.ZodType<object> = samples ? whole : z.looseObject(process);
  const read = schema.safeParse({ ...betasOf(name), ...said });
  if (!read.success) return { faults: explainIssues(read.error.issues, config, new Map()) };
  const keys = samples ? { ...process, ...sampling } : process;
  const left = Object.keys(said).filter((key) => !key.startsWith('_') && !Object.hasOwn(keys, key));
  return {
    diffusion: processOf(read.data as Whole, name, samples, model),
    notes: [
      ...(samples
        ? []
        : [
            `${name} samples in a way of its own: taken is the process that the model was trained with (${Object.keys(process).join(', ')}); sample draws by ddpm, ddim or dpmpp`,
          ]),
      ...(left.length === 0 ? [] : [`left out of the scheduler: ${left.join(', ')}`]),
    ],
  };
}

/** The betas of a scheduler that says none, where they are not those of DDPM. */
function betasOf(name: string): JsonObject {
  const found = OTHER_BETAS.find(([names]) => names.test(name));
  return found === undefined ? {} : { beta_start: 0.00085, beta_end: 0.012, beta_schedule: found[1] };
}

/** The keys of `diffusion`, without those that have their default. */
function processOf(said: Whole, name: string, samples: boolean, model: ProcessOf): JsonObject {
  const noise_schedule = SCHEDULES[said.beta_schedule as keyof typeof SCHEDULES];
  const predict = PREDICTIONS[said.prediction_type as keyof typeof PREDICTIONS];
  const trained = {
    steps: said.num_train_timesteps,
    noise_schedule,
    ...(noise_schedule !== 'cosine' && { beta_start: said.beta_start, beta_end: said.beta_end }),
    ...(predict !== 'epsilon' && { predict }),
  };
  if (!samples) return trained;
  const clip_range = said.clip_sample ? said.clip_sample_range : null;
  // DDIM has the posterior variance, which it scales by eta; a learned one is that of the model's channels
  const ddim = name.startsWith('DDIM');
  const fixed = model.out_channels === model.in_channels;
  const variance = VARIANCES[said.variance_type as keyof typeof VARIANCES];
  return {
    ...trained,
    ...((!ddim || fixed) && { variance: ddim ? 'fixed_small' : variance }),
    timestep_spacing: said.timestep_spacing,
    ...(said.steps_offset !== 0 &&
      said.timestep_spacing === 'leading' && { steps_offset: said.steps_offset }),
    ...(ddim && !said.set_alpha_to_one && { set_alpha_to_one: false }),
    ...(clip_range !== 1 && { clip_range }),
  };
}

function refused(pointer: string, message: string): { readonly faults: readonly Diagnostic[] } {
  return { faults: [{ severity: 'error', code: 'G029', pointer, message }] };
}
