// How a model is to be compiled, as words of a command or options of the Node API, and whether a bundle fits them.

import { UsageError } from '../../cli/context.ts';
import { parseChoice, parseCount } from '../../cli/parse.ts';
import type { Manifest } from '../../runtime/bundle.ts';
import { parseSize } from '../graph/graph-file.ts';
import { parseMemory } from './memory-limit.ts';
import { AUTO, targetFor } from './target-choice.ts';

/** What is compiled into a bundle. What is not given is the graph's or the bundle's own. */
export interface ModelSettings {
  /** Images in a forward pass; 1 where not given. */
  readonly batch?: number | undefined;
  /** Image size, slowest dimension first; one number stands for all dimensions. */
  readonly size?: readonly number[] | undefined;
  /** Adds the feature vectors of every block to the outputs. */
  readonly taps?: boolean | undefined;
  /** Leaves out every algorithm that is less exact than the plain one. */
  readonly strict?: boolean | undefined;
  readonly precision?: 'f32' | 'f16' | undefined;
  /** Name of a target, or `auto`. */
  readonly target?: string | undefined;
  /** The most bytes that weights and activations may take on the device. */
  readonly memory?: number | undefined;
  /** A tuning file, or `none` for the cost model's choices; not given, what ships for the target. */
  readonly tuning?: string | undefined;
}

/** The options of commands that compile, as they were typed. */
export interface SettingWords {
  readonly batch?: string;
  readonly size?: string;
  readonly taps?: boolean;
  readonly strict?: boolean;
  readonly precision?: string;
  readonly target?: string;
  readonly memory?: string;
  readonly tuning?: string;
}

const LARGEST_BATCH = 65536;

/** Reads the words. Throws UsageError for one that is off. */
export function parseSettings(words: SettingWords): ModelSettings {
  const precision = parseChoice(words.precision ?? 'f32', '--precision', ['f32', 'f16']);
  const settings: ModelSettings = {
    batch: words.batch === undefined ? undefined : parseCount(words.batch, '--batch', LARGEST_BATCH),
    size: words.size === undefined ? undefined : parseSize(words.size),
    taps: words.taps,
    strict: words.strict,
    precision: words.precision === undefined ? undefined : precision,
    target: words.target,
    memory: words.memory === undefined ? undefined : parseMemory(words.memory),
    tuning: words.tuning,
  };
  checkSettings(settings);
  return settings;
}

/** Throws UsageError for settings that no graph can be compiled with; callers in JavaScript may give anything. */
export function checkSettings({ batch, size, precision, target, memory }: ModelSettings): void {
  if (batch !== undefined && !isCount(batch, LARGEST_BATCH)) {
    throw new UsageError(`--batch: found ${batch}, expected a whole number from 1 to ${LARGEST_BATCH}`);
  }
  if (
    size !== undefined &&
    !(Array.isArray(size) && size.length > 0 && size.every((n) => isCount(n, 65536)))
  ) {
    throw new UsageError(`--size: found ${JSON.stringify(size)}, expected whole numbers from 1 to 65536`);
  }
  if (precision !== undefined && precision !== 'f32' && precision !== 'f16') {
    throw new UsageError(`--precision: found '${precision}', expected f32 or f16`);
  }
  if (target !== undefined && target !== AUTO) targetFor(target);
  if (memory !== undefined && !isCount(memory, Number.MAX_SAFE_INTEGER)) {
    throw new UsageError(`--memory: found ${memory}, expected a whole number of bytes above 0`);
  }
}

/** Throws UsageError where a bundle was compiled with other settings than are asked for; all of them are named. */
export function checkBundleFits(manifest: Manifest, label: string, settings: ModelSettings): void {
  const { batch, size, taps, strict, precision, target, tuning } = settings;
  const dims = manifest.image_size.length;
  const fullSize = size?.length === 1 ? Array.from({ length: dims }, () => size[0]!) : size;
  const asked: readonly (readonly [option: string, asked: string | undefined, has: string])[] = [
    ['--batch', batch?.toString(), String(manifest.batch)],
    ['--size', fullSize?.join('x'), manifest.image_size.join('x')],
    ['--precision', precision, manifest.precision],
    ['--target', target === AUTO ? undefined : target, manifest.target],
    ['--taps', taps ? 'with' : undefined, manifest.taps ? 'with' : 'without'],
    ['--tuning', tuning, 'the choices that are in it'],
    ['--strict', strict ? 'with' : undefined, manifest.strict ? 'with' : 'without'],
  ];
  const faults = asked
    .filter(([, wanted, has]) => wanted !== undefined && wanted !== has)
    .map(([option, wanted, has]) =>
      has === 'without'
        ? `${option}: the bundle was compiled without ${option === '--taps' ? 'them' : 'it'}`
        : `${option} ${wanted}: the bundle was compiled for ${has}`,
    );
  if (faults.length === 0) return;
  throw new UsageError(
    `${label}: ${faults.join(`\n${label}: `)}\nleave the option out, or compile the graph again with it`,
  );
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
}
