// Rules on options: what can never work in sampling is a fault, what never applies is a warning.

import type { Diagnostic } from '../diagnostics.ts';
import type { RuleCode } from '../spec/rules.ts';
import type { Spec } from '../spec/spec.ts';
import type { Diffusion } from './graph.ts';

type Unet = Extract<Spec, { form: 'compact' }>['unet'];
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

/** G030: each of attention_resolutions is a downsampling factor of some level, and stands once. */
export function checkAttention(unet: Unet, image_size: readonly number[]): readonly Diagnostic[] {
  const levels = unet.channel_mult.map((_, level) => 2 ** level);
  const width = image_size.at(-1)!;
  return unet.attention_resolutions.flatMap((ds, i) => {
    const pointer = `/unet/attention_resolutions/${i}`;
    if (unet.attention_resolutions.indexOf(ds) < i) {
      return [finding('warning', 'G030', pointer, `the factor ${ds} stands twice; remove one`)];
    }
    if (levels.includes(ds)) return [];
    const meant = levels.find((d) => d * ds === width && !unet.attention_resolutions.includes(d));
    const hint = meant === undefined ? 'remove it' : `if ${ds} pixels were meant, write ${meant}`;
    const message = `the downsampling factor ${ds} is never reached, so it adds no attention: the levels have ${levels.join(', ')}; ${hint}`;
    return [finding('warning', 'G030', pointer, message)];
  });
}

/** G031: options of the compact form that this model has no place for. */
export function checkUnused(unet: Unet): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const attends = unet.channel_mult.some((_, level) => unet.attention_resolutions.includes(2 ** level));
  if (unet.num_heads_upsample !== -1 && !attends) {
    const message = 'there is no attention on the way up, so this never applies; remove it';
    found.push(finding('warning', 'G031', '/unet/num_heads_upsample', message));
  }
  if (unet.channel_mult.length === 1) {
    const message = 'a model of one level has no resampling, so this never applies; remove it';
    if (unet.upsample !== 'nearest') found.push(finding('warning', 'G031', '/unet/upsample', message));
    if (!unet.conv_resample) found.push(finding('warning', 'G031', '/unet/conv_resample', message));
  }
  return found;
}
