// Rules of the fields: lists of different lengths, heads that do not divide channels, options that nothing has a place for.

import type { Diagnostic } from '../../diagnostics.ts';
import type { RuleCode } from '../../format/rules.ts';
import { type Draft, draftLayers } from '../draft.ts';
import { warning } from '../improved-diffusion/rules.ts';
import type { Unet2d, Unet2dFile } from './keywords.ts';

/** All rules of the family. */
export function checkUnet2d(file: Unet2dFile, draft: Draft): readonly Diagnostic[] {
  const { unet_2d } = file;
  const lengths = checkLengths(unet_2d);
  return [
    ...lengths,
    ...(lengths.length > 0 ? [] : checkHeadWidth(unet_2d, draft)),
    ...checkUnused(file, draft),
    ...(file.super_resolution ? [lowRes()] : []),
  ];
}

function fault(code: RuleCode, pointer: string, message: string): Diagnostic {
  return { severity: 'error', code, pointer, message };
}

/** G026: blocks and widths are said of as many levels. */
function checkLengths(unet: Unet2d): readonly Diagnostic[] {
  const { block_out_channels } = unet;
  const levels = block_out_channels.length;
  return (['down_block_types', 'up_block_types'] as const).flatMap((key) => {
    const found = unet[key].length;
    if (found === levels) return [];
    const message = `found ${found} block types, but block_out_channels has ${levels} levels; give one for each`;
    return [fault('G026', `/unet_2d/${key}`, message)];
  });
}

/** G012: the width of a head divides the channels of every attention. */
function checkHeadWidth({ attention_head_dim: width }: Unet2d, draft: Draft): readonly Diagnostic[] {
  if (width === null) return [];
  const attended = attendedChannels(draft);
  const wrong = attended.filter((channels) => channels % width !== 0);
  if (wrong.length === 0) return [];
  const message = `${Math.min(...wrong)} channels do not divide into heads of ${width}; use a divisor of ${attended.reduce(gcd)}, or null for one head`;
  return [fault('G012', '/unet_2d/attention_head_dim', message)];
}

function attendedChannels(draft: Draft): readonly number[] {
  return draftLayers(draft).flatMap(({ value }) => (value.type === 'attention' ? [value.channels] : []));
}

/** G031: fields that this model has no place for, and a size that is not the one that is computed. */
function checkUnused({ unet_2d: unet, image_size }: Unet2dFile, draft: Draft): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const never = (key: keyof Unet2d, why: string) =>
    found.push(warning('G031', `/unet_2d/${key}`, `${why}, so this never applies; remove it`));
  const middle = unet.mid_block_type !== null;
  if (!middle && unet.mid_block_scale_factor !== 1)
    never('mid_block_scale_factor', 'nothing is in the middle');
  if (!middle && !unet.add_attention) never('add_attention', 'nothing is in the middle');
  if (unet.attn_norm_num_groups !== null && !(middle && unet.add_attention)) {
    never('attn_norm_num_groups', 'there is no attention in the middle');
  }
  const layers = draftLayers(draft).map(({ value }) => value);
  const halves = layers.some((layer) => layer.type === 'downsample');
  if (unet.downsample_padding === 0 && !halves) never('downsample_padding', 'no convolution halves the size');
  const said = [unet.sample_size].flat(1);
  const size = said.length === 1 ? [said[0], said[0]] : said;
  const asked = typeof image_size === 'number' ? [image_size, image_size] : image_size;
  if (unet.sample_size !== null && size.join() !== asked.join()) {
    const message = `the model was trained on ${size.join('x')}, and is computed on ${asked.join('x')}, as image_size says`;
    found.push(warning('G031', '/unet_2d/sample_size', message));
  }
  return found;
}

/** A UNet2DModel takes one image. */
function lowRes(): Diagnostic {
  const message =
    'a UNet2DModel takes one image; leave super_resolution out, and count the channels of what is joined to it in in_channels';
  return fault('G008', '/super_resolution', message);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
