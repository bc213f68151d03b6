// The outputs of a program: where they stand in the buffer that is read back, and how they become tensors.

import type { Manifest } from './bundle.ts';
import { storedBytes } from './bundle-check.ts';
import { fromChannelsLast } from './layout.ts';
import type { Memory } from './memory.ts';
import type { Tensor } from './tensor.ts';
import { float16ToFloat32 } from './weights/dtypes.ts';

export interface Output {
  readonly name: string;
  readonly dtype: 'f32' | 'f16';
  readonly shape: readonly number[];
  readonly slot: GPUBuffer;
  readonly bytes: number;
  readonly offset: number;
}

/** The outputs one behind the other. */
export function placeOutputs(manifest: Manifest, memory: Memory): readonly Output[] {
  let offset = 0;
  return manifest.outputs.map(({ name, dtype, shape, slot }) => {
    const bytes = storedBytes(shape, dtype);
    const output = { name, dtype, shape, slot: memory.buffer(slot), bytes, offset };
    offset += bytes;
    return output;
  });
}

/** The tensors in a buffer that is mapped; unmaps it. */
export function readOutputs(outputs: readonly Output[], staging: GPUBuffer): ReadonlyMap<string, Tensor> {
  const mapped = staging.getMappedRange();
  const results = outputs.map(({ name, dtype, shape, bytes, offset }) => {
    const stored =
      dtype === 'f16'
        ? float16ToFloat32(new Uint16Array(mapped, offset, bytes / 2))
        : new Float32Array(mapped, offset, bytes / 4);
    return [name, fromChannelsLast(stored, shape)] as const;
  });
  staging.unmap();
  return new Map(results);
}
