// The outputs of a program: where they stand in the buffer that is read back, and how they become tensors.

import type { OutputPort } from './bundle.ts';
import type { Memory } from './memory.ts';
import { decodePort } from './port-values.ts';
import { bytesOfPort } from './ports.ts';
import type { Tensor } from './tensor.ts';

export interface Output {
  readonly port: OutputPort;
  readonly slot: GPUBuffer;
  readonly bytes: number;
  readonly offset: number;
}

/** The outputs one behind the other, from `first` bytes on. */
export function placeOutputs(
  ports: readonly OutputPort[],
  buffer: Memory['buffer'],
  first = 0,
): readonly Output[] {
  let offset = first;
  return ports.map((port) => {
    const bytes = bytesOfPort(port);
    const output = { port, slot: buffer(port.slot), bytes, offset };
    offset += bytes;
    return output;
  });
}

/** Bytes of outputs that stand one behind the other. */
export function bytesOfOutputs(outputs: readonly Output[]): number {
  return outputs.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The tensors in a buffer that is mapped; unmaps it. */
export function readOutputs(outputs: readonly Output[], staging: GPUBuffer): ReadonlyMap<string, Tensor> {
  const mapped = staging.getMappedRange();
  const results = outputs.map(({ port, bytes, offset }) => {
    return [port.name, decodePort(port, new Uint8Array(mapped, offset, bytes))] as const;
  });
  staging.unmap();
  return new Map(results);
}
