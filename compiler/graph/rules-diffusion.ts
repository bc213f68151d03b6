// What a graph says of sampling: its defaults, and what can never work.

import type { Diagnostic } from '../diagnostics.ts';
import type { RuleCode } from '../format/rules.ts';
import type { Spec } from '../spec/spec.ts';
import { type Diffusion, LATER_DIFFUSION, usualLoss } from './graph.ts';

interface Channels {
  readonly in_channels: number;
  readonly out_channels: number;
}

function finding(
  severity: Diagnostic['severity'],
  code: RuleCode,
  pointer: string,
  message: string,
): Diagnostic {
  return { severity, code, pointer, message };
}

/** The diffusion defaults; an unsaid variance is learned exactly where the model has the channels for it. */
export function resolveDiffusion(spec: Spec['diffusion'], channels: Channels): Diffusion {
  const learned = channels.out_channels === 2 * channels.in_channels;
  const later = { ...LATER_DIFFUSION, ...spec };
  const variance = spec?.variance ?? (learned ? 'learned_range' : 'fixed_large');
  return {
    steps: spec?.steps ?? 1000,
    noise_schedule: spec?.noise_schedule ?? 'linear',
    beta_start: later.beta_start,
    beta_end: later.beta_end,
    predict: spec?.predict ?? 'epsilon',
    variance,
    rescale_timesteps: spec?.rescale_timesteps ?? false,
    timestep_spacing: later.timestep_spacing,
    steps_offset: later.steps_offset,
    set_alpha_to_one: later.set_alpha_to_one,
    clip_range: later.clip_range,
    loss: spec?.loss ?? usualLoss(variance),
  };
}

/** First and last beta of a linear or scaled_linear schedule: those that are said, else the schedule's own. */
export function betaEnds({
  noise_schedule,
  beta_start,
  beta_end,
  steps,
}: Diffusion): readonly [number, number] {
  const scale = noise_schedule === 'linear' ? 1000 / steps : 1;
  return [beta_start ?? 0.0001 * scale, beta_end ?? 0.02 * scale];
}

/** G018, G019, G032: what was said of sampling fits the model. `channelsAt` is the pointer of out_channels. */
export function checkDiffusion(
  spec: Spec['diffusion'],
  channels: Channels,
  channelsAt: string,
): readonly Diagnostic[] {
  if (!spec) return [];
  const found: Diagnostic[] = [];
  const { in_channels: images, out_channels: outputs } = channels;
  const resolved = resolveDiffusion(spec, channels);
  const { steps, noise_schedule, variance, beta_end } = resolved;
  const learned = variance === 'learned' || variance === 'learned_range';
  if (learned && outputs !== 2 * images) {
    const message = `"${variance}" takes ${2 * images} output channels, twice in_channels, but out_channels is ${outputs}; set out_channels to ${2 * images} or variance to "fixed_large"`;
    found.push(finding('error', 'G018', '/diffusion/variance', message));
  }
  if (!learned && outputs !== images) {
    const also = outputs === 2 * images ? ', or let the variance be learned' : '';
    const message = `${outputs} output channels cannot be sampled with the variance "${variance}", which takes ${images}${also}`;
    const pointer = outputs === 2 * images ? '/diffusion/variance' : channelsAt;
    found.push(finding('warning', 'G032', pointer, message));
  }
  if (noise_schedule === 'linear' && steps <= 20 && beta_end === null) {
    const message = `the linear schedule scales its betas by 1000 / steps, and at ${steps} steps the last is ${20 / steps}, which must be below 1; use more than 20 steps or "cosine"`;
    found.push(finding('error', 'G019', '/diffusion/steps', message));
  }
  return [...found, ...checkBetas(resolved), ...checkSpacing(resolved)];
}

/** G023, G024: the betas that were said belong to the schedule, and noise grows. */
function checkBetas(diffusion: Diffusion): readonly Diagnostic[] {
  const { noise_schedule, beta_start, beta_end } = diffusion;
  const said = [
    { key: 'beta_start', value: beta_start },
    { key: 'beta_end', value: beta_end },
  ].filter(({ value }) => value !== null);
  if (noise_schedule === 'cosine') {
    return said.map(({ key }) => {
      const message = `a cosine schedule has no ${key}; take it out, or use "linear" or "scaled_linear"`;
      return finding('error', 'G023', `/diffusion/${key}`, message);
    });
  }
  if (said.length === 0) return [];
  const [first, last] = betaEnds(diffusion);
  const wrong = (message: string) => [finding('error', 'G024', `/diffusion/${said[0]!.key}`, message)];
  if (first >= last) {
    return wrong(
      `the betas fall from ${first} to ${last}, but noise grows with the steps; beta_end must be above beta_start`,
    );
  }
  if (Math.fround(1 - first) === 1) {
    return wrong(`a beta of ${first} adds no noise that float32 can tell; use at least 1e-7`);
  }
  const lost = lastTimestep(diffusion, first, last);
  if (lost === diffusion.steps) return [];
  return wrong(
    `betas from ${first} to ${last} leave nothing of the image at timestep ${lost} of ${diffusion.steps}, where float32 holds alphas_cumprod no more; use smaller ones`,
  );
}

/** The timestep at which float32 holds no alphas_cumprod any more; as many as there are steps where it holds all. */
function lastTimestep({ noise_schedule, steps }: Diffusion, first: number, last: number): number {
  const power = noise_schedule === 'scaled_linear' ? 2 : 1;
  const [from, to] = [first ** (1 / power), last ** (1 / power)];
  let alphas = 1;
  for (let t = 0; t < steps; t++) {
    alphas *= 1 - (from + ((to - from) * t) / (steps - 1)) ** power;
    if (alphas < LEAST_FLOAT32) return t;
  }
  return steps;
}

/** The least number that float32 holds with all its digits. */
const LEAST_FLOAT32 = 2 ** -126;

/** G031: what only diffusers' schedulers have was not said without a spacing of theirs. */
function checkSpacing({ timestep_spacing, steps_offset, steps }: Diffusion): readonly Diagnostic[] {
  if (steps_offset === 0) return [];
  const pointer = '/diffusion/steps_offset';
  if (steps_offset >= steps) {
    const message = `an offset of ${steps_offset} is beyond the ${steps} timesteps; use less than ${steps}`;
    return [finding('error', 'G024', pointer, message)];
  }
  if (timestep_spacing === 'leading') return [];
  const message = `steps_offset never applies: it belongs to the timestep_spacing "leading", and here it is ${timestep_spacing === null ? 'null' : `"${timestep_spacing}"`}`;
  return [finding('warning', 'G031', pointer, message)];
}
