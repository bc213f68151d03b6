// The ports of a bundle: what stands in a slot under a name that a host writes or reads, and in which encoding.

import * as z from 'zod/mini';

const count = z.int().check(z.minimum(0));
const positive = z.int().check(z.minimum(1));
const sizes = z.array(positive);
const shape = z.readonly(sizes);
/** Names that an object in JavaScript can have as keys without a second meaning. */
export const portName = z.string().check(z.regex(/^[A-Za-z]\w*(\.\w+)*$/));

/** [B, C, ...space] as channels-last quads: [batch][pixel][channel], channels filled up to a multiple of four. */
const image = {
  name: portName,
  encoding: z.literal('image'),
  shape: z.readonly(sizes.check(z.minLength(2))),
  slot: count,
} as const;

/** [rows, columns, ...taps] of a parameter, as an image whose samples are rows. */
const parameter = { ...image, encoding: z.literal('parameter') } as const;

/** Row-major as it is, filled up to whole vectors of 16 bytes. */
const plain = { name: portName, encoding: z.literal('plain'), shape, slot: count } as const;

const numbers = z.enum(['f32', 'f16']);

/** What a pass is given. */
export const inputPortSchema = z.discriminatedUnion('encoding', [
  z.readonly(z.strictObject({ ...image, dtype: numbers })),
  z.readonly(
    z.strictObject({
      name: portName,
      encoding: z.literal('timestep'),
      dtype: z.literal('f32'),
      shape: z.readonly(z.tuple([positive])),
      slot: count,
      /**
       * The host writes the embedding, [B, dim] as quads: in this order, rounded as the original does, the cosines and
       * the sines of t·exp(-ln(max_period)·i/(half - shift)).
       */
      dim: positive,
      max_period: z.number().check(z.positive()),
      order: z.enum(['cos_sin', 'sin_cos']),
      shift: z.number(),
    }),
  ),
  z.readonly(
    z.strictObject({
      name: portName,
      encoding: z.literal('label'),
      dtype: z.literal('u32'),
      shape: z.readonly(z.tuple([positive])),
      slot: count,
      /** Labels are whole numbers below. */
      classes: positive,
    }),
  ),
  z.readonly(z.strictObject({ ...plain, dtype: z.enum(['f32', 'f16', 'u32']) })),
]);

/** What a pass gives. */
export const outputPortSchema = z.discriminatedUnion('encoding', [
  z.readonly(z.strictObject({ ...image, dtype: numbers })),
  z.readonly(z.strictObject({ ...parameter, dtype: numbers })),
  z.readonly(z.strictObject({ ...plain, dtype: numbers })),
]);

/** Where a state begins: as a parameter of the checkpoint, or as zeros. */
const initial = z.union([z.literal('zeros'), z.readonly(z.strictObject({ parameter: z.string() }))]);

/** States may share a slot, each at bytes of its own: `offset` is where it begins. */
const kept = { dtype: numbers, initial, offset: count } as const;

/** What lives from pass to pass in bytes of its own, read and written by dispatches and by the host. */
export const statePortSchema = z.discriminatedUnion('encoding', [
  z.readonly(z.strictObject({ ...image, ...kept })),
  z.readonly(z.strictObject({ ...parameter, ...kept })),
  z.readonly(z.strictObject({ ...plain, ...kept })),
]);

export type InputPort = z.infer<typeof inputPortSchema>;
export type OutputPort = z.infer<typeof outputPortSchema>;
export type StatePort = z.infer<typeof statePortSchema>;
export type Port = InputPort | OutputPort | StatePort;

type Unplaced<P> = P extends unknown ? Omit<P, 'slot'> : never;

/** A port without its place: what a model takes or gives, whatever computes it. */
export type InputSpec = Unplaced<InputPort>;
export type OutputSpec = Unplaced<OutputPort>;

/** Whether a port has one number for each row of the batch: the time path depends on these alone. */
export function isRowPort({ encoding }: InputSpec): boolean {
  return encoding === 'timestep' || encoding === 'label';
}

/** A port as others see it. */
export function specOf<P extends InputPort | OutputPort>({ slot: _, ...spec }: P): Unplaced<P> {
  return spec as Unplaced<P>;
}

/** Bytes that a port takes in its slot. */
export function bytesOfPort(port: Port): number {
  const { encoding, shape } = port;
  switch (encoding) {
    case 'image':
    case 'parameter':
      return quadBytes(shape, port.dtype);
    case 'timestep':
      return quadBytes([...shape, port.dim]);
    case 'label':
      return plainBytes(shape);
    case 'plain':
      return plainBytes(shape, port.dtype);
  }
}

/** Bytes of a tensor [batch, channels, ...space] in channels-last quads. */
export function quadBytes(shape: readonly number[], dtype: 'f32' | 'f16' = 'f32'): number {
  const [batch = 1, channels = 1, ...space] = shape;
  return batch * product(space) * Math.ceil(channels / 4) * (dtype === 'f16' ? 8 : 16);
}

function plainBytes(shape: readonly number[], dtype: 'f32' | 'f16' | 'u32' = 'u32'): number {
  return Math.ceil((product(shape) * (dtype === 'f16' ? 2 : 4)) / 16) * 16;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((n, size) => n * size, 1);
}
