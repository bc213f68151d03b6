// Which tuning a graph is compiled with: the file that is named, none, or the one that ships for the target.

import path from 'node:path';
import type { Tuning } from '../../compiler/schedule/choices/tuning.ts';
import type { Target } from '../../compiler/target.ts';
import type { AdapterDescription } from '../../runtime/adapter.ts';
import { pathKind } from '../../runtime/host/node/files.ts';
import { UsageError } from '../errors.ts';
import { packageRoot } from '../package.ts';
import { readTuningFile, type TuningFile } from './tuning-file.ts';

/** The word that leaves every choice to the cost model. */
const NONE = 'none';

export interface TuningWord {
  /** A file, `none`, or undefined for what ships. */
  readonly tuning?: string | undefined;
  /** What ships was measured of single samples: choices for throughput are left to the cost model where no file is named. */
  readonly for?: 'latency' | 'throughput' | undefined;
}

/**
 * What was measured for a target. Throws UsageError for a file of another target, RuntimeError('input') for one that
 * cannot be read.
 */
export function tuningFor(target: Target, { tuning: word, for: purpose }: TuningWord): Tuning | undefined {
  if (word === undefined) return purpose === 'throughput' ? undefined : shippedTuning(target);
  if (word === NONE) return undefined;
  const file = readTuningFile(word);
  if (file.target === target.name) return file.groups;
  throw new UsageError(
    (option) =>
      `${option('tuning')}: ${word} is for target ${file.target}, and the graph is compiled for ${target.name}; ` +
      `measure it with unetc tune --target ${target.name}, or leave the option out`,
  );
}

/** The tuning that ships for a target, or undefined where there is none. */
export function shippedTuning({ name }: Target): Tuning | undefined {
  const file = path.join(packageRoot(), 'graphs', 'tuning', `${name}.json`);
  return pathKind(file) === 'file' ? readTuningFile(file).groups : undefined;
}

/** What the user should know where a file was named that was measured on another adapter than this; null else. */
export function foreignTuning({ tuning: word }: TuningWord, adapter: AdapterDescription): string | null {
  const file = word === undefined || word === NONE ? null : readTuningFile(word);
  if (!file || isOf(file, adapter)) return null;
  const { name, driver } = file.adapter;
  return `${word}: measured on ${name} (${driver}), another adapter than this; its choices are used all the same`;
}

/** Whether a file was measured on an adapter with its driver. */
export function isOf({ adapter: { name, driver } }: TuningFile, adapter: AdapterDescription): boolean {
  const here = adapterKey(adapter);
  return name === here.name && driver === here.driver;
}

/** An adapter as a tuning file names it. */
export function adapterKey({ device, architecture, vendor, description }: AdapterDescription): {
  readonly name: string;
  readonly driver: string;
} {
  return { name: device || architecture || vendor, driver: description };
}
