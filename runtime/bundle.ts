// The bundle: the contract between compiler and runtime. A folder of manifest.json and kernels/*.wgsl; everything
// that a run needs is in it, except the weights. docs/bundle.md describes it for those who write a host of their own.

import { inputPortSchema, outputPortSchema, portName, statePortSchema } from './ports.ts';
import type { DiffusionSettings } from './sampler/process.ts';
import * as s from './schema.ts';

export { LOSS_COEFFICIENTS } from './loss-coefficients.ts';
export type { InputPort, InputSpec, OutputPort, OutputSpec, StatePort } from './ports.ts';
export { settingsLength } from './step-settings.ts';
export {
  DROPOUT_PORT,
  DROPOUT_WORDS,
  dropoutFactor,
  dropoutMask,
  dropoutStream,
  dropoutThreshold,
} from './training/dropout.ts';

export const BUNDLE_VERSION = 3;

const count = s.whole(0);
const positive = s.whole(1);
const shape = s.list(positive);
const u32 = s.whole(0, 0xffffffff);

/** Bytes of an element of the types in which weights may be stored. */
export const STORED_BYTES = { f32: 4, f16: 2 } as const;
export type StoredType = keyof typeof STORED_BYTES;

const stored = s.oneOf(['f32', 'f16'] satisfies readonly StoredType[]);
const rounded = s.optional(s.flag);

/**
 * How a parameter is laid out in an arena. Offsets count words of four bytes from the beginning of its dispatch's
 * weights. Products stand there as they are `stored`, float16 two in a word; vectors are rounded to what they are
 * `stored` as and stand there in float32. Processors read products in float32 alone: what is `rounded` has the values of
 * float16.
 */
const weightPartSchema = s.tagged('kind', [
  s.object({
    kind: s.literal('product'),
    stored,
    rounded,
    /** A step is [chunk][tile]: `rows` has taps within chunks of inputs, `quads` has chunks within taps. */
    layout: s.oneOf(['rows', 'quads']),
    param: s.text,
    /** Output channels, input channels, taps: the parameter is [O, I, ...taps], or [I, O, ...taps] transposed. */
    outputs: positive,
    inputs: positive,
    taps: positive,
    transposed: s.flag,
    /** Output channels a column tile, and input channels a chunk. */
    tile: positive,
    chunk: positive,
    /** Steps of a column tile in all, and the first one of this parameter. */
    steps: positive,
    first_step: count,
    /** Outputs of the parameters joined before this one. */
    first_output: count,
    offset: count,
  }),
  s.object({
    kind: s.literal('winograd'),
    rounded,
    param: s.text,
    /** Pixels of a side of a tile of the output: F(m x m, 3 x 3) has (m + 2)^2 planes. */
    m: s.either(s.literal(2), s.literal(4)),
    /** The parameter is [outputs, inputs, 3, 3]; places are those of `product` with layout `quads` and one tap. */
    outputs: positive,
    inputs: positive,
    /** The parameter is [inputs, outputs, 3, 3], and its taps are taken in reverse: of a transposed convolution. */
    transposed: s.flag,
    tile: positive,
    chunk: positive,
    /** Floats of a plane. */
    plane: positive,
    offset: count,
  }),
  s.object({
    kind: s.literal('linear'),
    param: s.text,
    outputs: positive,
    inputs: positive,
    /** Outputs of the parameters joined before this one. */
    first_output: count,
    offset: count,
  }),
  s.object({
    kind: s.literal('vector'),
    stored,
    param: s.text,
    length: positive,
    /** Elements of a row, and the floats a row takes: rows are filled up to a multiple of four. */
    row: positive,
    /** Summed into what other parts left there: biases of products that are summed. */
    accumulate: s.flag,
    offset: count,
  }),
]);

const access = s.oneOf(['read', 'read_write']);

/** What a dispatch binds after its sizes, in the order of the kernel's bindings. */
const bindingSchema = s.tagged('kind', [
  s.object({
    kind: s.literal('slot'),
    slot: count,
    access,
    /** Said where the dispatch finds or leaves float16 in the slot, or the bits of a mask; all else is words of four bytes. */
    dtype: s.optional(s.oneOf(['f16', 'u32'])),
    /** Of a part of a slot, where it begins and how many bytes it has. */
    part: s.optional(s.object({ offset: count, bytes: positive })),
  }),
  s.object({ kind: s.literal('weights'), weights: count, access }),
]);

/**
 * Vectors of a buffer that become texels of a texture, `count` from `first` on, each in the place that it has: dispatches
 * write buffers alone, since drivers of processors are slow to store texels and quick to load them.
 */
const copySchema = s.object({
  /** The slot of the buffer. */
  from: count,
  to: s.tagged('kind', [
    s.object({ kind: s.literal('slot'), slot: count }),
    s.object({ kind: s.literal('weights'), weights: count }),
  ]),
  first: count,
  count: positive,
});

/** The process that the model was trained with: all that a sampler without the compiler has to know. */
const diffusionSchema = s.object({
  steps: positive,
  noise_schedule: s.oneOf(['linear', 'cosine', 'scaled_linear']),
  beta_start: s.nullable(s.number),
  beta_end: s.nullable(s.number),
  predict: s.oneOf(['epsilon', 'x_start', 'previous_x', 'v']),
  variance: s.oneOf(['learned_range', 'learned', 'fixed_small', 'fixed_large']),
  rescale_timesteps: s.flag,
  timestep_spacing: s.nullable(s.oneOf(['leading', 'trailing', 'linspace'])),
  steps_offset: count,
  set_alpha_to_one: s.flag,
  clip_range: s.nullable(s.positiveNumber),
}) satisfies s.Schema<DiffusionSettings>;

export const manifestSchema = s.object({
  format: s.literal('unetc-bundle'),
  version: s.literal(BUNDLE_VERSION),
  name: s.text,
  target: s.text,
  precision: s.oneOf(['f32', 'f16']),
  batch: positive,
  /** The graph it was compiled from, in the explicit form. */
  graph: s.record(s.anything),
  /** Image size it was compiled for. */
  image_size: shape,
  taps: s.flag,
  /** Whether every algorithm that is less exact than the plain one was left out. */
  strict: s.flag,
  /** Who wrote it, and what else its kernels depend on: with the fields above, all that it is compiled again from. */
  compiler: s.object({
    /** The version of unetc. */
    version: s.text,
    /** Microseconds that a byte of packed weights was worth to choices. */
    price: s.numberFromZero,
    /** Whether choices were made for the most samples a second. */
    throughput: s.optional(s.flag),
    /** Of a training batch the paths of the blocks that the backward pass computes again, where there are any. */
    recomputed: s.optional(s.list(s.text)),
    /** Which weights of products are packed just before they are read, where it is not the usual (`UpdateOptions`). */
    passing: s.optional(s.oneOf(['none', 'changing', 'all'])),
    /** What was measured of the graph's convolutions, in microseconds by group and candidate; null for nothing. */
    tuning: s.nullable(s.record(s.record(s.positiveNumber))),
  }),
  requires: s.object({
    features: s.list(s.text),
    limits: s.record(positive),
  }),
  diffusion: diffusionSchema,
  /** What the host writes before a pass, and reads behind it; feature vectors of float16 are stored so. */
  inputs: s.list(inputPortSchema),
  outputs: s.list(outputPortSchema),
  /** What passes hand on to each other. A model that is only run has none. */
  state: s.list(statePortSchema),
  /**
   * The first dispatches, which depend on timesteps and labels alone, and the values that the others take from them:
   * `bytes` hold a row for each image of the batch.
   */
  time_path: s.object({
    dispatches: count,
    values: s.list(s.object({ slot: count, bytes: positive })),
  }),
  /** Every parameter, in checkpoint order. */
  parameters: s.list(s.object({ name: s.text, shape })),
  /** Bytes of each arena. */
  arenas: s.list(positive),
  /** Buffers and rgba32float textures that activations take in turn. */
  slots: s.list(s.object({ bytes: positive, storage: s.oneOf(['buffer', 'texture']) })),
  /** Texels of a row of every texture. */
  texture_width: positive,
  /**
   * Packed weights. Offset in bytes, length in words of four; arena null is a texture of their own. They are filled
   * by the host, from the parameters of `parts` when a program is made, or by the dispatches that bind them for
   * writing.
   */
  weights: s.list(
    s.object({
      arena: s.nullable(count),
      offset: count,
      length: positive,
      filled: s.oneOf(['host', 'dispatch']),
      parts: s.list(weightPartSchema),
    }),
  ),
  kernels: s.list(s.object({ file: s.text, sha256: s.text })),
  dispatches: s.list(
    s.object({
      /** The schedule's line. */
      group: s.text,
      path: s.text,
      kernel: count,
      sizes: s.list(u32),
      bindings: s.list(bindingSchema),
      workgroups: s.tuple(positive, positive, positive),
      /** What a host copies behind it. */
      copies: s.optional(s.list(copySchema)),
      flops: count,
      bytes: count,
    }),
  ),
  /** Runs of the dispatches, one behind the other, that a host starts by name. A forward pass is the first. */
  passes: s.list(s.object({ name: portName, dispatches: positive }), 1),
  memory: s.object({
    /** Bytes of all slots, what they would be without reuse, and bytes of the packed weights. */
    activations: count,
    activations_unshared: count,
    weights: count,
  }),
  /** SHA-256 of `digestedText`: no field of a manifest can change unnoticed. */
  sha256: s.text,
});

export type Manifest = s.Infer<typeof manifestSchema>;
export type WeightPart = s.Infer<typeof weightPartSchema>;
export type Dispatch = Manifest['dispatches'][number];
export type Copy = s.Infer<typeof copySchema>;

/** Bytes that a model takes on the device: packed weights and activations. */
export function memoryOf({ memory }: Pick<Manifest, 'memory'>): number {
  return memory.weights + memory.activations;
}

/** A bundle in memory: the manifest and the text of each kernel by file name. */
export interface Bundle {
  readonly manifest: Manifest;
  readonly kernels: ReadonlyMap<string, string>;
}

/** The manifest as it is written: JSON indented by one space, with a newline at the end. */
export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** What a manifest's own digest is taken of: all of it but the digest, with keys in the order of their names. */
export function digestedText({
  sha256: _,
  ...manifest
}: Omit<Manifest, 'sha256'> & { sha256?: string }): string {
  return JSON.stringify(sorted(manifest));
}

/** The same JSON with the keys of every object in the order of their names. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const from = value as Readonly<Record<string, unknown>>;
  const into: Record<string, unknown> = {};
  for (const key of Object.keys(from).sort()) into[key] = sorted(from[key]);
  return into;
}

/** SHA-256 of a text or of bytes, in hexadecimal. */
export async function sha256(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
