// Held-out images: data that a run is never trained with, how often their loss is computed, and what tells them.

import { turnsOf } from '../../runtime/host/node/turns.ts';
import type { Wanted } from '../data/batch.ts';
import type { DataOptions } from '../data/data-options.ts';
import type { Dataset } from '../data/dataset.ts';
import { openData } from '../data/open-data.ts';
import { UsageError } from '../errors.ts';
import { dataIdentity } from './data-identity.ts';
import type { RunRecipe } from './run-manifest.ts';
import { checkWhole, MOST_STEPS } from './settings.ts';

/** As callers give it. */
export interface ValidationOptions {
  /** Images that are never trained with, as `data`. Default: none. */
  readonly val_data?: string | undefined;
  /** Steps from one loss of them to the next: a multiple of `log_interval`. Default: ten times that. */
  readonly val_interval?: number | undefined;
  /** How many of them, from the first on. Default 256, or as many as there are. */
  readonly val_limit?: number | undefined;
}

export interface ValidationSettings {
  readonly data: string;
  readonly interval: number;
  readonly limit: number;
}

export interface HeldOut {
  readonly data: Dataset;
  /** Images whose loss is computed. */
  readonly count: number;
  readonly interval: number;
  /** What tells them in a run's recipe. */
  readonly recipe: RunRecipe;
}

const LIMIT = 256;
/** Rows of the log from one loss to the next. */
const ROWS = 10;

/** Throws UsageError for an option that is off, and for one without data; null where nothing is held out. */
export function validationSettings(
  { val_data, val_interval, val_limit = LIMIT }: ValidationOptions,
  log_interval: number,
): ValidationSettings | null {
  const interval = val_interval ?? ROWS * log_interval;
  checkWhole('val_limit', val_limit, 1, MOST_STEPS);
  checkWhole('val_interval', interval, 1, MOST_STEPS);
  if (val_data === undefined) {
    if (val_interval === undefined && val_limit === LIMIT) return null;
    const name = val_interval === undefined ? 'val_limit' : 'val_interval';
    throw new UsageError(
      (option) =>
        `${option(name)}: nothing is held out; say what with ${option('val_data')}, or leave it out`,
    );
  }
  if (interval % log_interval !== 0) {
    throw new UsageError(
      (option) =>
        `${option('val_interval')}: found ${interval}, expected a multiple of ${option('log_interval')}, which is ` +
        `${log_interval}: a loss stands in a row of the log`,
    );
  }
  return { data: val_data, interval, limit: val_limit };
}

/**
 * Opens what is held out. `training` is what is trained with, where it has classes of its own. Rejects with UsageError and
 * RuntimeError('input').
 */
export async function openHeldOut(
  { data: place, interval, limit }: ValidationSettings,
  wanted: Wanted,
  { labels, background, workers, signal }: DataOptions & { readonly signal: AbortSignal },
  training: Dataset | null,
): Promise<HeldOut> {
  const data = await openData(place, wanted, { labels, background, workers, signal });
  try {
    checkClasses(data, training);
    const count = Math.min(limit, data.count);
    const val_data = await dataIdentity(place, data.kind, turnsOf(signal));
    const recipe = { val_data, val_interval: interval, val_images: count };
    return { data, count, interval, recipe };
  } catch (error) {
    await data.close();
    throw error;
  }
}

/** The number of a class is its place among those that are there: one that is missing would move the others. */
function checkClasses({ classes, path }: Dataset, training: Dataset | null): void {
  const named = new Map((training?.classes ?? []).map(({ label, name }) => [label, name]));
  const other = (classes ?? []).find(({ label, name }) => {
    const known = named.get(label);
    return name !== null && known !== undefined && known !== null && known !== name;
  });
  if (other === undefined) return;
  throw new UsageError(
    (option) =>
      `${option('val_data')}: class ${other.label} is ${other.name} in ${path}, and ${named.get(other.label)} in ` +
      `${training?.path}; hold out images of every class, so that both number them alike`,
  );
}
