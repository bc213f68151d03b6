// Rules of the keywords: attentions that no level has, options that never apply.

import type { Diagnostic } from '../../diagnostics.ts';
import type { RuleCode } from '../../format/rules.ts';
import type { UnetFile } from './keywords.ts';

/** What the rules read of the keywords; `section` is the key of the file that they stand under. */
type Keywords = Pick<
  UnetFile['unet'],
  'channel_mult' | 'attention_resolutions' | 'num_heads_upsample' | 'upsample' | 'conv_resample'
>;

/** A finding that leaves the graph usable. */
export function warning(code: RuleCode, pointer: string, message: string): Diagnostic {
  return { severity: 'warning', code, pointer, message };
}

/** G030: each of attention_resolutions is a downsampling factor of some level, and stands once. */
export function checkAttention(
  section: string,
  unet: Keywords,
  image_size: readonly number[],
): readonly Diagnostic[] {
  const levels = unet.channel_mult.map((_, level) => 2 ** level);
  const width = image_size.at(-1)!;
  return unet.attention_resolutions.flatMap((ds, i) => {
    const pointer = `/${section}/attention_resolutions/${i}`;
    if (unet.attention_resolutions.indexOf(ds) < i) {
      return [warning('G030', pointer, `the factor ${ds} stands twice; remove one`)];
    }
    if (levels.includes(ds)) return [];
    const meant = levels.find((d) => d * ds === width && !unet.attention_resolutions.includes(d));
    const hint = meant === undefined ? 'remove it' : `if ${ds} pixels were meant, write ${meant}`;
    const message = `the downsampling factor ${ds} is never reached, so it adds no attention: the levels have ${levels.join(', ')}; ${hint}`;
    return [warning('G030', pointer, message)];
  });
}

/** G031: keywords that this model has no place for. */
export function checkUnused(section: string, unet: Keywords): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const attends = unet.channel_mult.some((_, level) => unet.attention_resolutions.includes(2 ** level));
  if (unet.num_heads_upsample !== -1 && !attends) {
    const message = 'there is no attention on the way up, so this never applies; remove it';
    found.push(warning('G031', `/${section}/num_heads_upsample`, message));
  }
  if (unet.channel_mult.length === 1) {
    const message = 'a model of one level has no resampling, so this never applies; remove it';
    if (unet.upsample !== 'nearest') found.push(warning('G031', `/${section}/upsample`, message));
    if (!unet.conv_resample) found.push(warning('G031', `/${section}/conv_resample`, message));
  }
  return found;
}
