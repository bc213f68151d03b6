// The bundle: the contract between compiler and runtime. A folder of manifest.json and kernels/*.wgsl; everything
// that a run needs is in it, except the weights. docs/bundle.md describes it for those who write a host of their own.

import * as z from 'zod/mini';
import { inputPortSchema, outputPortSchema, portName, statePortSchema } from './ports.ts';
import type { DiffusionSettings } from './sampler/process.ts';

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

const count = z.int().check(z.minimum(0));
const positive = z.int().check(z.minimum(1));
const shape = z.readonly(z.array(positive));
const u32 = z.int().check(z.minimum(0), z.maximum(0xffffffff));

/** Bytes of an element of the types in which weights may be stored. */
export const STORED_BYTES = { f32: 4, f16: 2 } as const;
export type StoredType = keyof typeof STORED_BYTES;

const stored = z.enum(['f32', 'f16'] satisfies readonly StoredType[]);

/**
 * How a parameter is laid out in an arena. Offsets count words of four bytes from the beginning of its dispatch's
 * weights. Products stand there as they are `stored`, float16 two in a word; vectors are rounded to what they are
 * `stored` as and stand there in float32.
 */
const weightPartSchema = z.discriminatedUnion('kind', [
  z.readonly(
    z.strictObject({
      kind: z.literal('product'),
      stored,
      /** A step is [chunk][tile]: `rows` has taps within chunks of inputs, `quads` has chunks within taps. */
      layout: z.enum(['rows', 'quads']),
      param: z.string(),
      /** Output channels, input channels, taps: the parameter is [O, I, ...taps], or [I, O, ...taps] transposed. */
      outputs: positive,
      inputs: positive,
      taps: positive,
      transposed: z.boolean(),
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
  ),
  z.readonly(
    z.strictObject({
      kind: z.literal('winograd'),
      param: z.string(),
      /** Pixels of a side of a tile of the output: F(m x m, 3 x 3) has (m + 2)^2 planes. */
      m: z.union([z.literal(2), z.literal(4)]),
      /** The parameter is [outputs, inputs, 3, 3]; places are those of `product` with layout `quads` and one tap. */
      outputs: positive,
      inputs: positive,
      /** The parameter is [inputs, outputs, 3, 3], and its taps are taken in reverse: of a transposed convolution. */
      transposed: z.boolean(),
      tile: positive,
      chunk: positive,
      /** Floats of a plane. */
      plane: positive,
      offset: count,
    }),
  ),
  z.readonly(
    z.strictObject({
      kind: z.literal('linear'),
      param: z.string(),
      outputs: positive,
      inputs: positive,
      /** Outputs of the parameters joined before this one. */
      first_output: count,
      offset: count,
    }),
  ),
  z.readonly(
    z.strictObject({
      kind: z.literal('vector'),
      stored,
      param: z.string(),
      length: positive,
      /** Elements of a row, and the floats a row takes: rows are filled up to a multiple of four. */
      row: positive,
      /** Summed into what other parts left there: biases of products that are summed. */
      accumulate: z.boolean(),
      offset: count,
    }),
  ),
]);

const access = z.enum(['read', 'read_write']);

/** What a dispatch binds after its sizes, in the order of the kernel's bindings. */
const bindingSchema = z.discriminatedUnion('kind', [
  z.readonly(
    z.strictObject({
      kind: z.literal('slot'),
      slot: count,
      access,
      /** Said where the dispatch finds or leaves float16 in the slot, or the bits of a mask; all else is words of four bytes. */
      dtype: z.exactOptional(z.enum(['f16', 'u32'])),
      /** Of a part of a slot, where it begins and how many bytes it has. */
      part: z.exactOptional(z.readonly(z.strictObject({ offset: count, bytes: positive }))),
    }),
  ),
  z.readonly(z.strictObject({ kind: z.literal('weights'), weights: count, access })),
]);

/** The process that the model was trained with: all that a sampler without the compiler has to know. */
const diffusionSchema = z.readonly(
  z.strictObject({
    steps: positive,
    noise_schedule: z.enum(['linear', 'cosine', 'scaled_linear']),
    beta_start: z.nullable(z.number()),
    beta_end: z.nullable(z.number()),
    predict: z.enum(['epsilon', 'x_start', 'previous_x', 'v']),
    variance: z.enum(['learned_range', 'learned', 'fixed_small', 'fixed_large']),
    rescale_timesteps: z.boolean(),
    timestep_spacing: z.nullable(z.enum(['leading', 'trailing', 'linspace'])),
    steps_offset: count,
    set_alpha_to_one: z.boolean(),
    clip_range: z.nullable(z.number().check(z.positive())),
  }),
) satisfies z.ZodMiniType<DiffusionSettings>;

export const manifestSchema = z.readonly(
  z.strictObject({
    format: z.literal('unetc-bundle'),
    version: z.literal(BUNDLE_VERSION),
    name: z.string(),
    target: z.string(),
    precision: z.enum(['f32', 'f16']),
    batch: positive,
    /** The graph it was compiled from, in the explicit form. */
    graph: z.record(z.string(), z.unknown()),
    /** Image size it was compiled for. */
    image_size: shape,
    taps: z.boolean(),
    /** Whether every algorithm that is less exact than the plain one was left out. */
    strict: z.boolean(),
    /** Who wrote it, and what else its kernels depend on: with the fields above, all that it is compiled again from. */
    compiler: z.readonly(
      z.strictObject({
        /** The version of unetc. */
        version: z.string(),
        /** Microseconds that a byte of packed weights was worth to choices. */
        price: z.number().check(z.minimum(0)),
        /** What was measured of the graph's convolutions, in microseconds by group and candidate; null for nothing. */
        tuning: z.nullable(
          z.readonly(z.record(z.string(), z.readonly(z.record(z.string(), z.number().check(z.positive()))))),
        ),
      }),
    ),
    requires: z.strictObject({
      features: z.readonly(z.array(z.string())),
      limits: z.record(z.string(), positive),
    }),
    diffusion: diffusionSchema,
    /** What the host writes before a pass, and reads behind it; feature vectors of float16 are stored so. */
    inputs: z.readonly(z.array(inputPortSchema)),
    outputs: z.readonly(z.array(outputPortSchema)),
    /** What passes hand on to each other. A model that is only run has none. */
    state: z.readonly(z.array(statePortSchema)),
    /**
     * The first dispatches, which depend on timesteps and labels alone, and the values that the others take from them:
     * `bytes` hold a row for each image of the batch.
     */
    time_path: z.strictObject({
      dispatches: count,
      values: z.readonly(z.array(z.readonly(z.strictObject({ slot: count, bytes: positive })))),
    }),
    /** Every parameter, in checkpoint order. */
    parameters: z.readonly(z.array(z.strictObject({ name: z.string(), shape }))),
    /** Bytes of each arena. */
    arenas: z.readonly(z.array(positive)),
    /** Buffers and rgba32float textures that activations take in turn. */
    slots: z.readonly(
      z.array(z.readonly(z.strictObject({ bytes: positive, storage: z.enum(['buffer', 'texture']) }))),
    ),
    /** Texels of a row of every texture. */
    texture_width: positive,
    /**
     * Packed weights. Offset in bytes, length in words of four; arena null is a texture of their own. They are filled
     * by the host, from the parameters of `parts` when a program is made, or by the dispatches that bind them for
     * writing.
     */
    weights: z.readonly(
      z.array(
        z.strictObject({
          arena: z.nullable(count),
          offset: count,
          length: positive,
          filled: z.enum(['host', 'dispatch']),
          parts: z.readonly(z.array(weightPartSchema)),
        }),
      ),
    ),
    kernels: z.readonly(z.array(z.strictObject({ file: z.string(), sha256: z.string() }))),
    dispatches: z.readonly(
      z.array(
        z.strictObject({
          /** The schedule's line. */
          group: z.string(),
          path: z.string(),
          kernel: count,
          sizes: z.readonly(z.array(u32)),
          bindings: z.readonly(z.array(bindingSchema)),
          workgroups: z.readonly(z.tuple([positive, positive, positive])),
          flops: count,
          bytes: count,
        }),
      ),
    ),
    /** Runs of the dispatches, one behind the other, that a host starts by name. A forward pass is the first. */
    passes: z.readonly(
      z.array(z.readonly(z.strictObject({ name: portName, dispatches: positive }))).check(z.minLength(1)),
    ),
    memory: z.strictObject({
      /** Bytes of all slots, what they would be without reuse, and bytes of the packed weights. */
      activations: count,
      activations_unshared: count,
      weights: count,
    }),
    /** SHA-256 of `digestedText`: no field of a manifest can change unnoticed. */
    sha256: z.string(),
  }),
);

export type Manifest = z.infer<typeof manifestSchema>;
export type WeightPart = z.infer<typeof weightPartSchema>;
export type Dispatch = Manifest['dispatches'][number];

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

/** SHA-256 of a text, in hexadecimal. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
