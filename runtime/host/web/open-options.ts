// What `openModel` is given: its options, and whether values that no type checker saw are any.

import {
  CALLBACK,
  CHECKED_LATER,
  type Check,
  checkOptions,
  FLAG,
  isPlain,
  NUMBER,
  oneOf,
  SIGNAL,
} from '../../arguments.ts';
import type { Fetch } from './answer.ts';
import type { CacheChoice } from './kept.ts';
import type { BundleSource } from './read-bundle.ts';
import type { WeightsSource } from './read-weights.ts';
import type { DownloadProgress } from './tally.ts';

/** How far opening is: files come in, then kernels are compiled while the weights go to the device. */
export type OpenProgress =
  | DownloadProgress
  | { readonly stage: 'compile'; readonly done: number; readonly total: number };

/** A bundle with its weights. */
export interface ModelFiles {
  /** The address of its folder, its files in memory, a function that reads them, or what `parseBundle` gave. */
  readonly bundle: BundleSource;
  /** An address, a File, bytes, a list of these, tensors by name, or weights that were opened. */
  readonly weights: WeightsSource;
  /** Leaves out tensors that the bundle does not have. Default: they are a fault. */
  readonly allowUnexpected?: boolean | undefined;
}

export interface OpenModelOptions extends ModelFiles {
  /** A classifier that guides the model: a bundle compiled with its gradient, and its weights. */
  readonly classifier?: ModelFiles | undefined;
  /** A device of the caller's, which stays open. Default: one is asked for, with what the bundles need and no more. */
  readonly device?: GPUDevice | undefined;
  /** Where a device is asked for. Default `navigator.gpu`. */
  readonly gpu?: GPU | undefined;
  /** Which adapter is preferred where there are two. Default 'high-performance'. */
  readonly powerPreference?: GPUPowerPreference | undefined;
  /** Seconds without a sign of life after which a pass is given up. Default: 60, more for large models. */
  readonly timeout?: number | undefined;
  /** What is called in place of `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** Whether files are kept for the next visit: the name of a cache, or one of the caller's. Default true. */
  readonly cache?: CacheChoice | undefined;
  /**
   * SHA-256 of files by their addresses, in hexadecimal. A file with another is refused, and one that was kept is taken without
   * asking its server.
   */
  readonly digests?: ReadonlyMap<string, string> | undefined;
  /** Ends the opening; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Told how far it is. */
  readonly onProgress?: ((progress: OpenProgress) => void) | undefined;
  /** Told what happens on the way and is no error; `notes` of the model has the same. */
  readonly onNote?: ((note: string) => void) | undefined;
}

const BUNDLE: Check = {
  expected:
    "the address of a bundle's folder, a Map of its files by path, a function that reads one, or a parsed bundle",
  holds: (value) =>
    isAddress(value) ||
    value instanceof Map ||
    typeof value === 'function' ||
    (isPlain(value) && 'manifest' in value),
};

const WEIGHTS: Check = {
  expected: 'an address, a File, bytes, a list of these, or a Map of tensors by name',
  holds: (value) =>
    Array.isArray(value)
      ? value.length > 0 && value.every(isFile)
      : value instanceof Map || isFile(value) || has(value, 'read'),
};

const TIMEOUT: Check = {
  expected: 'a number of seconds above 0',
  holds: (value) => NUMBER.holds(value) && Number(value) > 0,
};

const CACHE: Check = {
  expected: "true, false, the name of a cache, or an object with 'match' and 'put'",
  holds: (value) =>
    typeof value === 'boolean' ||
    (typeof value === 'string' && value !== '') ||
    (has(value, 'match') && has(value, 'put')),
};

const DIGESTS: Check = {
  expected: 'a Map of SHA-256 in hexadecimal by address',
  holds: (value) =>
    value instanceof Map &&
    [...value].every(([url, digest]) => typeof url === 'string' && /^[0-9a-f]{64}$/.test(digest)),
};

const FILES = { bundle: BUNDLE, weights: WEIGHTS, allowUnexpected: FLAG } as const satisfies {
  readonly [name in keyof Required<ModelFiles>]: Check;
};

const OPTIONS = {
  ...FILES,
  classifier: CHECKED_LATER,
  device: { expected: 'a GPUDevice', holds: (value) => has(value, 'createBuffer') },
  gpu: { expected: 'a GPU, such as navigator.gpu', holds: (value) => has(value, 'requestAdapter') },
  powerPreference: oneOf(['low-power', 'high-performance']),
  timeout: TIMEOUT,
  fetch: CALLBACK,
  cache: CACHE,
  digests: DIGESTS,
  signal: SIGNAL,
  onProgress: CALLBACK,
  onNote: CALLBACK,
} as const satisfies { readonly [name in keyof Required<OpenModelOptions>]: Check };

/** Throws UsageError that names the option that is none, is missing, or whose value is off. */
export function checkOpenOptions(options: OpenModelOptions): void {
  const needed = ['bundle', 'weights'];
  checkOptions('openModel', options, OPTIONS, needed);
  if (options.classifier !== undefined) checkOptions('classifier', options.classifier, FILES, needed);
}

function isAddress(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || value instanceof URL;
}

function isFile(value: unknown): boolean {
  return (
    isAddress(value) ||
    value instanceof ArrayBuffer ||
    value instanceof Uint8Array ||
    has(value, 'arrayBuffer')
  );
}

/** Whether a value is something with such a method: objects of hosts are known by these alone. */
function has(value: unknown, method: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>> | null)?.[method] === 'function';
}
