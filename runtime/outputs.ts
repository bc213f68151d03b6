// The outputs of a program: where they stand in the buffer that is read back, and how they become tensors.

import type { OutputPort } from './bundle.ts';
import type { Tensor } from './tensor.ts';

/** Where an output is copied from, and how its bytes become a tensor. */
export interface Place {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Records what has to run before the copy, behind the pass; null for nothing. */
  readonly convert: ((encoder: GPUCommandEncoder) => void) | null;
  decode(bytes: Uint8Array<ArrayBuffer>): Tensor;
}

export interface Output extends Place {
  readonly name: string;
  readonly offset: number;
}

/** The outputs one behind the other, from `first` bytes on. */
export function placeOutputs(
  ports: readonly OutputPort[],
  place: (port: OutputPort) => Place,
  first = 0,
): readonly Output[] {
  let offset = first;
  return ports.map((port) => {
    const output = { ...place(port), name: port.name, offset };
    offset += output.bytes;
    return output;
  });
}

/** Bytes of outputs that stand one behind the other. */
export function bytesOfOutputs(outputs: readonly Output[]): number {
  return outputs.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Records the copies to the buffer that is read back, behind what has to run before them. */
export function copyOutputs(
  outputs: readonly Output[],
  encoder: GPUCommandEncoder,
  staging: GPUBuffer,
): void {
  for (const { convert } of outputs) convert?.(encoder);
  for (const { buffer, bytes, offset } of outputs)
    encoder.copyBufferToBuffer(buffer, 0, staging, offset, bytes);
}

/** The tensors in a buffer that is mapped; unmaps it. */
export function readOutputs(outputs: readonly Output[], staging: GPUBuffer): ReadonlyMap<string, Tensor> {
  const mapped = staging.getMappedRange();
  const results = outputs.map(({ name, bytes, offset, decode }) => {
    return [name, decode(new Uint8Array(mapped, offset, bytes))] as const;
  });
  staging.unmap();
  return new Map(results);
}
