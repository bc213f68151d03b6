// Between a host's values and the bytes of a port's slot.

import { fromChannelsLast, toChannelsLast } from './layout.ts';
import type { PortValue } from './model.ts';
import { bytesOfPort, type InputPort, type OutputPort, type Port, type StatePort } from './ports.ts';
import { elements, type Tensor } from './tensor.ts';
import { timestepEmbedding } from './timestep-embedding.ts';
import { float16ToFloat32, float32ToFloat16 } from './weights/dtypes.ts';

/** Gives so many floats, which may hold anything. */
type Take = (count: number) => Float32Array<ArrayBuffer>;

/**
 * The bytes that a value is in the port's slot. The value must have passed `findPortFaults`.
 * @param take memory for what is converted; default: new
 */
export function encodePort(
  port: InputPort | StatePort,
  value: PortValue,
  take?: Take,
): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = storedValues(port, value, take);
  const stored = new Uint8Array(buffer, byteOffset, byteLength);
  if (byteLength === bytesOfPort(port)) return stored;
  const bytes = new Uint8Array(bytesOfPort(port));
  bytes.set(stored);
  return bytes;
}

function storedValues(
  port: Port,
  value: PortValue,
  take?: Take,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  switch (port.encoding) {
    case 'image':
    case 'parameter':
      return inDtype(port.dtype, toChannelsLast({ shape: port.shape, data: floats(value) }, take));
    case 'timestep':
      return timestepEmbedding(listOf(value), port);
    case 'label':
      return Uint32Array.from(listOf(value));
    case 'plain':
      return port.dtype === 'u32' ? Uint32Array.from(listOf(value)) : inDtype(port.dtype, floats(value));
  }
}

/**
 * The tensor that a port's bytes hold. They must begin at a multiple of four.
 * @param take memory for the tensor; default: new
 */
export function decodePort(
  port: OutputPort | StatePort,
  bytes: Uint8Array<ArrayBuffer>,
  take: Take = (count) => new Float32Array(count),
): Tensor {
  const { buffer, byteOffset, byteLength } = bytes;
  const stored =
    port.dtype === 'f16'
      ? float16ToFloat32(new Uint16Array(buffer, byteOffset, byteLength / 2))
      : new Float32Array(buffer, byteOffset, byteLength / 4);
  const { encoding, shape } = port;
  const data = take(elements(shape));
  if (encoding === 'image' || encoding === 'parameter') return fromChannelsLast(stored, shape, data);
  data.set(stored.subarray(0, data.length));
  return { shape, data };
}

/** The numbers of a tensor or a list. */
export function listOf(value: PortValue): ArrayLike<number> {
  return 'data' in value ? value.data : value;
}

/** The same as float32, without a copy where they are that already. */
export function floats(value: PortValue): Float32Array<ArrayBuffer> {
  const list = listOf(value);
  return list instanceof Float32Array ? (list as Float32Array<ArrayBuffer>) : Float32Array.from(list);
}

function inDtype(
  dtype: 'f32' | 'f16',
  values: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return dtype === 'f16' ? float32ToFloat16(values) : values;
}
