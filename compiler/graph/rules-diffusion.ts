// What a graph says of sampling: its defaults, and what can never work.

import type { Diagnostic } from '../diagnostics.ts';
import type { RuleCode } from '../format/rules.ts';
import type { Spec } from '../spec/spec.ts';
import type { Diffusion } from './graph.ts';

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
  return {
    steps: spec?.steps ?? 1000,
    noise_schedule: spec?.noise_schedule ?? 'linear',
    predict: spec?.predict ?? 'epsilon',
    variance: spec?.variance ?? (learned ? 'learned_range' : 'fixed_large'),
    rescale_timesteps: spec?.rescale_timesteps ?? false,
  };
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
  const { steps, noise_schedule, variance } = resolveDiffusion(spec, channels);
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
  if (noise_schedule === 'linear' && steps <= 20) {
    const message = `the linear schedule scales its betas by 1000 / steps, and at ${steps} steps the last is ${20 / steps}, which must be below 1; use more than 20 steps or "cosine"`;
    found.push(finding('error', 'G019', '/diffusion/steps', message));
  }
  return found;
}
