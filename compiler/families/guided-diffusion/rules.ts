// Rules of the keywords: widths that heads do not divide, options that another one overrides.

import type { Diagnostic } from '../../diagnostics.ts';
import type { Draft } from '../draft.ts';
import { draftLayers } from '../draft.ts';
import { checkAttention, checkUnused, warning } from '../improved-diffusion/rules.ts';
import type { AdmFile } from './keywords.ts';

type Adm = AdmFile['adm'];

/** All rules of the family; `image_size` is null where it is at fault. */
export function checkAdm(
  adm: Adm,
  draft: Draft,
  image_size: readonly number[] | null,
): readonly Diagnostic[] {
  return [
    ...checkHeadWidth(adm, draft),
    ...checkOverridden(adm),
    ...checkUnused('adm', adm).filter(({ pointer }) => !isResampling(adm, pointer)),
    ...(image_size ? checkAttention('adm', adm, image_size) : []),
  ];
}

/** G012: the width of a head divides the channels of every attention. */
function checkHeadWidth({ num_head_channels }: Adm, draft: Draft): readonly Diagnostic[] {
  if (num_head_channels === -1) return [];
  const attended = draftLayers(draft).flatMap(({ value }) =>
    value.type === 'attention' ? [value.channels] : [],
  );
  const wrong = attended.filter((channels) => channels % num_head_channels !== 0);
  if (wrong.length === 0) return [];
  const common = attended.reduce(gcd);
  const message = `${Math.min(...wrong)} channels do not divide into heads of ${num_head_channels}; use a divisor of ${common}`;
  return [{ severity: 'error', code: 'G012', pointer: '/adm/num_head_channels', message }];
}

/** G031: keywords that another one overrides. */
function checkOverridden(adm: Adm): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const over = (key: string, by: string): void => {
    const message = `${by} decides, so this never applies; remove it`;
    found.push(warning('G031', `/adm/${key}`, message));
  };
  if (adm.num_head_channels !== -1 && adm.num_heads_upsample !== -1)
    over('num_heads_upsample', 'num_head_channels');
  if (adm.resblock_updown) {
    if (adm.upsample !== 'nearest') over('upsample', 'resblock_updown');
    if (!adm.conv_resample) over('conv_resample', 'resblock_updown');
  }
  if (adm.resblock_updown && adm.channel_mult.length === 1) {
    const message = 'a model of one level has no resampling, so this never applies; remove it';
    found.push(warning('G031', '/adm/resblock_updown', message));
  }
  return found;
}

/** Whether a finding is about a keyword that `resblock_updown` has been found to override. */
function isResampling({ resblock_updown }: Adm, pointer: string): boolean {
  return resblock_updown && ['/adm/upsample', '/adm/conv_resample'].includes(pointer);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
