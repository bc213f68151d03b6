// One pass, dispatch by dispatch, with what each of them wrote read back: to find the first that made a NaN or
// an infinity. Slow, and in memory of its own for the copies.

import type { Dispatch, Manifest } from './bundle.ts';
import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import type { Memory } from './memory.ts';
import type { Pass } from './passes.ts';

/** Values that a dispatch left in a slot that it writes to, with all that fills it up. */
export interface Traced {
  /** Position among the manifest's dispatches. */
  readonly dispatch: number;
  readonly values: Float32Array;
}

/**
 * Yields what each dispatch wrote. Inputs must be in their slots, and all others hold zeros: what stood there before
 * would be taken for what was written.
 * @param encode encodes one dispatch, with the copy behind it
 */
export async function* traceDispatches(
  manifest: Manifest,
  memory: Memory,
  device: GPUDevice,
  { first, end }: Pick<Pass, 'first' | 'end'>,
  encode: (dispatch: number, encoder: GPUCommandEncoder) => void,
): AsyncGenerator<Traced, void, undefined> {
  if (manifest.precision !== 'f32') {
    throw new RuntimeError(
      'gpu',
      `only float32 values can be traced, and the bundle has ${manifest.precision}`,
    );
  }
  const size = Math.max(...manifest.slots.map((_, slot) => memory.bytes(slot)));
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const staging = device.createBuffer({ label: 'trace', size, usage: MAP_READ | COPY_DST });
  const submit = (work: (encoder: GPUCommandEncoder) => void): Promise<void> =>
    guard(device, 'a traced dispatch', () => {
      const encoder = device.createCommandEncoder();
      work(encoder);
      device.queue.submit([encoder.finish()]);
    });
  try {
    for (let dispatch = first; dispatch < end; dispatch++) {
      const { bindings } = manifest.dispatches[dispatch]!;
      await submit((encoder) => encode(dispatch, encoder));
      for (const slot of writtenSlots(bindings)) {
        await submit((encoder) => memory.copyOut(slot, encoder, staging));
        const bytes = memory.bytes(slot);
        await staging.mapAsync(GPUMapMode.READ, 0, bytes);
        const values = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
        staging.unmap();
        yield { dispatch, values };
      }
    }
  } finally {
    staging.destroy();
  }
}

/** Zeros in every slot but those of states, which the pass before left something in. */
export function clearSlots(manifest: Manifest, memory: Memory, device: GPUDevice): void {
  const kept = new Set(manifest.state.map(({ slot }) => slot));
  const encoder = device.createCommandEncoder();
  for (const slot of manifest.slots.keys()) if (!kept.has(slot)) memory.clear(slot, encoder);
  device.queue.submit([encoder.finish()]);
}

function writtenSlots(bindings: Dispatch['bindings']): readonly number[] {
  return bindings.flatMap((binding) =>
    binding.kind === 'slot' && binding.access !== 'read' ? [binding.slot] : [],
  );
}
