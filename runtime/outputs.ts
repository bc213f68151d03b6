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

/** The outputs one behind the other. */
export function placeOutputs(ports: readonly OutputPort[], memory: Memory): readonly Output[] {
  let offset = 0;
  return ports.map((port) => {
    const bytes = bytesOfPort(port);
    const output = { port, slot: memory.buffer(port.slot), bytes, offset };
    offset += bytes;
    return output;
  });
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
