// The config.json of a UNet2DModel as a graph file: its fields as they are, without what nothing depends on.

import type { Diagnostic } from '../diagnostics.ts';
import type { JsonObject } from '../families/family.ts';
import { familyOf } from '../families/index.ts';
import { FORMAT_VERSION } from '../format/common.ts';
import { LIMITS } from '../format/fields.ts';
import type { Json } from '../format/json.ts';

export interface ImportedConfig {
  /** A graph file as JSON, which nothing has checked yet. */
  readonly spec: JsonObject & { readonly unet_2d: JsonObject };
  /** Fields that no UNet2DModel has, and were left out. */
  readonly left: readonly string[];
  /** Whether the size was chosen here, since the file says none. */
  readonly sized: boolean;
}

/** What the graph is called and how large its images are where that is not what the folder says. */
export interface ConfigOptions {
  readonly name: string;
  readonly size?: readonly number[] | undefined;
}

/** Sides of the smallest image inside a model whose config names no size. */
const SMALLEST = 8;

/** The graph of a config.json; or why it is of none. */
export function importConfig(
  config: Json,
  { name, size }: ConfigOptions,
): ImportedConfig | { readonly faults: readonly Diagnostic[] } {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    return refused('', 'expected an object, as save_pretrained of a UNet2DModel writes it');
  }
  const said = config as JsonObject;
  const { _class_name } = said;
  if (_class_name !== undefined && _class_name !== 'UNet2DModel') {
    return refused(
      '/_class_name',
      `found ${JSON.stringify(_class_name)}, expected "UNet2DModel"${hint(_class_name)}`,
    );
  }
  const { keywords } = familyOf('unet_2d');
  const entries = Object.entries(said).filter(([key]) => !key.startsWith('_'));
  const known = entries.filter(([key]) => Object.hasOwn(keywords, key));
  if (known.length === 0 && _class_name === undefined) {
    return refused(
      '',
      'none of these keys is a field of a UNet2DModel; name the folder with its config.json',
    );
  }
  const unet_2d = Object.fromEntries(known.map(([key, value]) => [key, asWritten(key, value)]));
  const sample = size ?? sizeOf(said.sample_size);
  return {
    spec: { version: FORMAT_VERSION, name, image_size: sample ?? likelySide(said), unet_2d },
    left: entries.filter(([key]) => !Object.hasOwn(keywords, key)).map(([key]) => key),
    sized: sample === null && (said.sample_size ?? null) === null,
  };
}

/** A field as graph files have it: diffusers looks activation functions up in lower case. */
function asWritten(key: string, value: Json): Json {
  return key === 'act_fn' && typeof value === 'string' ? value.toLowerCase() : value;
}

/** A size as graph files have it; null where it is not said, or at fault, which is told with the field. */
function sizeOf(value: Json | undefined): number | readonly number[] | null {
  const sides = [value].flat();
  const isSize = sides.every(
    (side) => Number.isSafeInteger(side) && Number(side) >= 1 && Number(side) <= LIMITS.size,
  );
  if (!isSize || (Array.isArray(value) && sides.length !== 2)) return null;
  return value as number | readonly number[];
}

function likelySide({ block_out_channels }: JsonObject): number {
  const levels = Array.isArray(block_out_channels) ? block_out_channels.length : 4;
  return Math.min(LIMITS.size, SMALLEST * 2 ** Math.min(levels - 1, LIMITS.levels));
}

function hint(name: Json): string {
  if (name === 'UNet2DConditionModel') return '; it attends to a prompt, which no graph can express';
  if (typeof name === 'string' && name.startsWith('Autoencoder')) {
    return '; it is an autoencoder, name the folder of the model that denoises';
  }
  return '; no graph can express it';
}

function refused(pointer: string, message: string): { readonly faults: readonly Diagnostic[] } {
  return { faults: [{ severity: 'error', code: 'G029', pointer, message }] };
}
