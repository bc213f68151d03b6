// The ports of a bundle: what stands in a slot under a name that a host writes or reads, and in which encoding.

import * as s from './schema.ts';

const count = s.whole(0);
const positive = s.whole(1);
const sizes = s.list(positive);
const shape = sizes;
/** Names that an object in JavaScript can have as keys without a second meaning. */
export const portName = s.textLike(/^[A-Za-z]\w*(\.\w+)*$/);

/** [B, C, ...space] as channels-last quads: [batch][pixel][channel], channels filled up to a multiple of four. */
const image = {
  name: portName,
  encoding: s.literal('image'),
  shape: s.list(positive, 2),
  slot: count,
} as const;

/** [rows, columns, ...taps] of a parameter, as an image whose samples are rows. */
const parameter = { ...image, encoding: s.literal('parameter') } as const;

/** Row-major as it is, filled up to whole vectors of 16 bytes. */
const plain = { name: portName, encoding: s.literal('plain'), shape, slot: count } as const;

const numbers = s.oneOf(['f32', 'f16']);

/** What a pass is given. */
export const inputPortSchema = s.tagged('encoding', [
  s.object({ ...image, dtype: numbers }),
  s.object({
    name: portName,
    encoding: s.literal('timestep'),
    dtype: s.literal('f32'),
    shape: s.tuple(positive),
    slot: count,
    /**
     * The host writes the embedding, [B, dim] as quads: in this order, rounded as the original does, the cosines and
     * the sines of t·exp(-ln(max_period)·i/(half - shift)).
     */
    dim: positive,
    max_period: s.positiveNumber,
    order: s.oneOf(['cos_sin', 'sin_cos']),
    shift: s.number,
  }),
  s.object({
    name: portName,
    encoding: s.literal('label'),
    dtype: s.literal('u32'),
    shape: s.tuple(positive),
    slot: count,
    /** Labels are whole numbers below. */
    classes: positive,
  }),
  s.object({ ...plain, dtype: s.oneOf(['f32', 'f16', 'u32']) }),
]);

/** What a pass gives. */
export const outputPortSchema = s.tagged('encoding', [
  s.object({ ...image, dtype: numbers }),
  s.object({ ...parameter, dtype: numbers }),
  s.object({ ...plain, dtype: numbers }),
]);

/** Where a state begins: as a parameter of the checkpoint, or as zeros. */
const initial = s.either(s.literal('zeros'), s.object({ parameter: s.text }));

/** States may share a slot, each at bytes of its own: `offset` is where it begins. */
const kept = { dtype: numbers, initial, offset: count } as const;

/** What lives from pass to pass in bytes of its own, read and written by dispatches and by the host. */
export const statePortSchema = s.tagged('encoding', [
  s.object({ ...image, ...kept }),
  s.object({ ...parameter, ...kept }),
  s.object({ ...plain, ...kept }),
]);

export type InputPort = s.Infer<typeof inputPortSchema>;
export type OutputPort = s.Infer<typeof outputPortSchema>;
export type StatePort = s.Infer<typeof statePortSchema>;
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
