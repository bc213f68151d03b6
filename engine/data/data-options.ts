// How training data is to be read: options as callers give them, checked against each other and the model.

import { availableParallelism } from 'node:os';
import { LARGEST_SEED } from '../../runtime/sampler/noise.ts';
import { UsageError } from '../errors.ts';
import type { Wanted } from './batch.ts';
import type { LabelSource } from './picture-files.ts';
import type { Rgb } from './raster.ts';

export interface DataOptions {
  /**
   * What pictures of a folder are called by: `names`, the files' names up to the first `_` (as the original does), or
   * `folders`, the first folder of their paths. Default `names`.
   */
  readonly labels?: LabelSource | undefined;
  /**
   * What transparent pictures are put over, such as `#ffffff`. Default: nothing; their alpha is dropped, as the original
   * does, and colours that nobody saw may show.
   */
  readonly background?: string | undefined;
  /** Mirrors half of the images from left to right, drawn anew in every epoch. Default false. */
  readonly flip?: boolean | undefined;
  /** Which part of a picture is taken: `centre`, or `random`, guided-diffusion's random crop. Default `centre`. */
  readonly crop?: 'centre' | 'random' | undefined;
  /** What order, flips and crops are drawn from. Default 0. */
  readonly seed?: number | undefined;
  /** Threads that decode pictures; 0 decodes in the calling thread. Default: one less than there are cores, at most 4. */
  readonly workers?: number | undefined;
  /** Aborted where the caller wants no more: streams reject with its reason, and threads end. */
  readonly signal?: AbortSignal | undefined;
}

/** Options with their defaults. */
export interface DataSettings {
  readonly labels: LabelSource;
  readonly background: Rgb | null;
  readonly flip: boolean;
  readonly crop: 'centre' | 'random';
  readonly seed: number;
  readonly workers: number;
  readonly signal: AbortSignal | undefined;
}

const MOST_WORKERS = 64;

/** Throws UsageError for an option that is off, or that the model's images have no use for. */
export function checkDataOptions(options: DataOptions, { channels, space }: Wanted): DataSettings {
  const { labels = 'names', background, flip = false, crop = 'centre', seed = 0, signal } = options;
  const workers = options.workers ?? Math.max(1, Math.min(4, availableParallelism() - 1));
  if (labels !== 'names' && labels !== 'folders') {
    throw new UsageError((option) => `${option('labels')}: found '${labels}', expected names or folders`);
  }
  if (crop !== 'centre' && crop !== 'random') {
    throw new UsageError((option) => `${option('crop')}: found '${crop}', expected centre or random`);
  }
  if (!Number.isInteger(workers) || workers < 0 || workers > MOST_WORKERS) {
    throw new UsageError(
      (option) => `${option('workers')}: found ${workers}, expected a whole number from 0 to ${MOST_WORKERS}`,
    );
  }
  if (!Number.isInteger(seed) || seed < 0 || seed > LARGEST_SEED) {
    throw new UsageError(
      (option) => `${option('seed')}: found ${seed}, expected a whole number from 0 to ${LARGEST_SEED}`,
    );
  }
  if (space.length !== 2 && (flip || crop === 'random')) {
    throw new UsageError(
      (option) =>
        `${option(flip ? 'flip' : 'crop')}: the graph has ${space.length} dimensions, and only pictures, of two, are mirrored ` +
        'or cut at random; leave it out',
    );
  }
  if (background !== undefined && channels === 4) {
    throw new UsageError(
      (option) => `${option('background')}: a model of four channels takes alpha as it is; leave it out`,
    );
  }
  return {
    ...{ labels, flip, crop, seed, workers, signal },
    background: background === undefined ? null : parseColour(background),
  };
}

/** `#rrggbb` or `#rgb`, or one of two names. */
function parseColour(text: string): Rgb {
  const named = { black: '#000000', white: '#ffffff' }[text.toLowerCase()] ?? text;
  const digits = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(named)?.[1];
  if (digits === undefined) {
    throw new UsageError(
      (option) =>
        `${option('background')}: found '${text}', expected a colour such as #ffffff, white or black`,
    );
  }
  const long = digits.length === 6 ? digits : [...digits].map((digit) => digit + digit).join('');
  const [red, green, blue] = [0, 2, 4].map((at) => Number.parseInt(long.slice(at, at + 2), 16));
  return [red!, green!, blue!];
}
