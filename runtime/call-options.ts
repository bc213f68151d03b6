// What the calls of a loaded model are given: their options, and whether values that no type checker saw are any.

import {
  CALLBACK,
  CHECKED_LATER,
  type Check,
  checkOptions,
  countBelow,
  FLAG,
  isPlain,
  NUMBER,
  SIGNAL,
  shown,
  textOf,
} from './arguments.ts';
import type { ModelInterface } from './model.ts';
import type { ChainState } from './sampler/chain.ts';
import type { Guidance, SampleRequest } from './sampler/request.ts';
import type { StepReport } from './sampler/sample.ts';
import { optionsOf, SAMPLER_KINDS, type Sampler, samplerOf } from './sampler/samplers/index.ts';
import { UsageError } from './usage-error.ts';

export interface SampleOptions {
  /** Default: `{ kind: 'ddim', eta: 0 }` where `steps` begins with ddim, else `{ kind: 'ddpm' }`. */
  readonly sampler?: Sampler | undefined;
  /** Classifier-free guidance, for models that were taught a null class. */
  readonly guidance?: Guidance | undefined;
  /** How far the classifier that the model was loaded with moves a step. Default 1. */
  readonly classifierScale?: number | undefined;
  /** The respacing: `50`, `ddim50`, or sections `10,10,20`. Default: every step of the training process. */
  readonly steps?: string | undefined;
  /** Clips the guess at the image at every step to the graph's clip_range. Default true. */
  readonly clip?: boolean | undefined;
  /**
   * Where chains go on that were stopped, by the position of their request: their `state`, as the `chains()` of an `onStep`
   * of the same requests and options had it.
   */
  readonly resumed?: ReadonlyMap<number, ChainState> | undefined;
  /** Looked at between steps; when aborted, its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step of each batch. */
  readonly onStep?: ((report: StepReport) => void) | undefined;
}

export interface EncodeOptions extends Omit<SampleOptions, 'sampler' | 'resumed' | 'onStep'> {
  /** Corrections of each step at the most; each costs a forward pass. Default 10. */
  readonly refine?: number | undefined;
  /** Called after each step, counted over all batches. */
  readonly onStep?: ((done: number, total: number) => void) | undefined;
}

/** An image to be encoded, with the conditions that it is encoded under. */
export interface EncodeInput {
  /** [C, ...space] in [-1, 1], row-major. */
  readonly image: Float32Array;
  /** Class label; given exactly when the model has classes, or a classifier guides it. */
  readonly label?: number;
  /** [C, ...low-res space] in [-1, 1]; given exactly when the model is a super-resolution model. */
  readonly low_res?: Float32Array;
}

const USUAL_REFINE = 10;
const MOST_REFINE = 1000;

const object = (expected: string): Check => ({ expected, holds: isPlain });

const SHARED = {
  guidance: object('{ scale, null_class }'),
  classifierScale: { ...NUMBER, expected: 'a number, such as 1' },
  steps: {
    ...textOf(''),
    expected: "a text, such as '50' or 'ddim50'",
    holds: (value) => typeof value === 'string',
  },
  clip: FLAG,
  signal: SIGNAL,
  onStep: CALLBACK,
} as const satisfies Readonly<Record<string, Check>>;

const CHAINS: Check = {
  expected: 'a Map of states of chains by the position of their request',
  holds: (value) => value instanceof Map,
};

/** Whoever takes an option reads it here: the type checker asks for every one. */
export const SAMPLE_OPTIONS = { ...SHARED, sampler: CHECKED_LATER, resumed: CHAINS } as const satisfies {
  readonly [name in keyof Required<SampleOptions>]: Check;
};

export const ENCODE_OPTIONS = { ...SHARED, refine: countBelow(MOST_REFINE) } as const satisfies {
  readonly [name in keyof Required<EncodeOptions>]: Check;
};

const REQUEST = {
  seed: CHECKED_LATER,
  noise: CHECKED_LATER,
  label: CHECKED_LATER,
  low_res: CHECKED_LATER,
} as const satisfies { readonly [name in keyof Required<SampleRequest>]: Check };

const IMAGE: Check = { expected: 'a Float32Array', holds: (value) => value instanceof Float32Array };

const ENCODED = { image: IMAGE, label: CHECKED_LATER, low_res: CHECKED_LATER } as const satisfies {
  readonly [name in keyof Required<EncodeInput>]: Check;
};

/** Throws UsageError that names the option, or the key of a request, that is none or whose value is off. */
export function checkSampling(requests: unknown, options: SampleOptions): void {
  checkOptions('sample', options, SAMPLE_OPTIONS);
  checkShared(options);
  checkSampler(options.sampler);
  checkRequestKeys('sample', requests, REQUEST, '[{ seed: 0 }]');
}

/** The same of images to be encoded. Gives back how often a step is corrected. */
export function checkEncoding(images: unknown, options: EncodeOptions): number {
  checkOptions('encode', options, ENCODE_OPTIONS);
  checkShared(options);
  checkRequestKeys('encode', images, ENCODED, '[{ image }]', ['image']);
  return options.refine ?? USUAL_REFINE;
}

function checkShared({ guidance }: Pick<SampleOptions, 'guidance'>): void {
  if (guidance === undefined) return;
  const table = { scale: CHECKED_LATER, null_class: CHECKED_LATER } satisfies Record<keyof Guidance, Check>;
  checkOptions('guidance', guidance, table, ['scale', 'null_class']);
}

/** A sampler is an object, of a kind that there is, with the options of that kind. */
function checkSampler(sampler: unknown): void {
  if (sampler === undefined) return;
  const kind: unknown = isPlain(sampler) ? sampler.kind : undefined;
  const known = SAMPLER_KINDS.find((one) => one === kind);
  if (known === undefined || !isPlain(sampler)) {
    const named = SAMPLER_KINDS.find((one) => one === sampler);
    const example = `{ kind: '${named ?? 'ddim'}'${named === undefined || named === 'ddim' ? ', eta: 0' : ''} }`;
    const found = isPlain(sampler) ? '' : `; found ${shown(sampler)}`;
    throw new UsageError(
      `sampler: its kind is ${String(kind)}, expected one of ${SAMPLER_KINDS.join(', ')}, as in ${example}${found}`,
    );
  }
  const options = Object.keys(optionsOf(samplerOf(known)));
  const table = Object.fromEntries(['kind', ...options].map((name) => [name, CHECKED_LATER]));
  checkOptions(`sampler ${known}`, sampler, table);
  for (const name of options) {
    const value = sampler[name];
    if (value === undefined || (NUMBER.holds(value) && Number(value) >= 0)) continue;
    throw new UsageError(`sampler.${name}: found ${shown(value)}, expected a number of at least 0`);
  }
}

function checkRequestKeys(
  call: string,
  requests: unknown,
  table: Readonly<Record<string, Check>>,
  example: string,
  needed: readonly string[] = [],
): void {
  if (!Array.isArray(requests) || !requests.every(isPlain)) {
    throw new UsageError(
      `${call}: found ${shown(requests)}; ${call === 'sample' ? 'samples are asked for' : 'images are given'} as a list, such as ${example}`,
    );
  }
  for (const request of requests) checkOptions(`a request of ${call}`, request, table, needed);
}

/** Inputs are an object by name; what is in it the model checks. Throws UsageError. */
export function checkInputs(inputs: unknown, { inputs: ports }: Pick<ModelInterface, 'inputs'>): void {
  if (isPlain(inputs)) return;
  const names = ports.map(({ name }) => name);
  throw new UsageError(
    `inputs: found ${shown(inputs)}, expected { ${names.join(', ')} }: ${names.map((name) => `${name} is missing`).join(', ')}`,
  );
}
