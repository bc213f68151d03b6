// Where in the new graph's file a finding was decided: the JSON pointer that a reviewer should look at.

import { childPointer } from '../spec/json.ts';
import type { Spec } from '../spec/spec.ts';
import type { DiffSide } from './side.ts';

/** Keys of the compact form that could have decided something, the likeliest first. */
export type Keys = readonly string[];

const UNDER_UNET = new Set([
  ...['in_channels', 'out_channels', 'model_channels', 'num_res_blocks', 'attention_resolutions', 'dropout'],
  ...['channel_mult', 'conv_resample', 'dims', 'num_classes', 'num_heads', 'num_heads_upsample'],
  ...['use_scale_shift_norm', 'upsample'],
]);

/**
 * The pointer for a finding about a layer or about the model. `keys` are those of the compact form; of them the first
 * that differs between both files is meant. In the explicit form it is the layer at `path`, and in it `field`.
 */
export function pointerTo(
  sides: { readonly a: DiffSide; readonly b: DiffSide },
  keys: Keys,
  path: string | null = null,
  field: string | null = null,
): string {
  const { spec } = sides.b;
  if (!spec) return '';
  if (spec.form === 'explicit' && path !== null) return layerPointer(path, field);
  const other = sides.a.spec;
  const changed = keys.find((key) => other && written(spec, key) !== written(other, key));
  const key = changed ?? keys[0];
  return key === undefined ? '' : keyPointer(spec, key);
}

/** `input_blocks.3.0` as `/blocks/input/3/layers/0`, and the field in it. */
function layerPointer(path: string, field: string | null): string {
  const [block = '', ...rest] = path.split('.');
  if (block === 'time_embed') return '/time_embed';
  if (block === 'label_emb') return '/num_classes';
  if (block === 'out') return '/out_channels';
  const role = block.replace('_blocks', '').replace('_block', '');
  const at = role === 'middle' ? '/blocks/middle' : `/blocks/${role}/${rest.shift()}`;
  const [layer] = rest;
  if (layer === undefined) return at;
  const pointer = `${at}/layers/${layer}`;
  return field === null ? pointer : childPointer(pointer, field);
}

/** Where a key stands in a file of this form. */
function keyPointer(spec: Spec, key: string): string {
  const [first = ''] = key.split('.');
  const inUnet = spec.form === 'compact' && UNDER_UNET.has(first);
  if (spec.form === 'explicit' && UNDER_UNET.has(first) && !Object.hasOwn(spec, first)) return '/blocks';
  return `${inUnet ? '/unet' : ''}/${key.replaceAll('.', '/')}`;
}

/** The value of a dotted key as text. */
function written(spec: Spec, key: string): string {
  const parts = key.split('.');
  const start: unknown = spec.form === 'compact' && UNDER_UNET.has(parts[0]!) ? spec.unet : spec;
  const value = parts.reduce<unknown>(
    (owner, part) =>
      typeof owner === 'object' && owner ? (owner as Record<string, unknown>)[part] : undefined,
    start,
  );
  return JSON.stringify(value) ?? '';
}
