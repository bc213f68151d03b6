// One pass, dispatch by dispatch, with what each of them wrote read back: to find the first that made a NaN or
// an infinity. Slow, and in memory of its own for the copies.

import { answered } from './answered.ts';
import type { Dispatch, Manifest, StoredType } from './bundle.ts';
import { guard } from './guard.ts';
import type { Memory } from './memory.ts';
import type { OpenedDevice } from './opened-device.ts';
import type { Pass } from './passes.ts';
import { float16ToFloat32 } from './weights/dtypes.ts';

/** Values that a dispatch left in a slot that it writes to, with all that fills it up. */
export interface Traced {
  /** Position among the manifest's dispatches. */
  readonly dispatch: number;
  readonly slot: number;
  /** What the dispatch stored. */
  readonly dtype: StoredType;
  readonly values: Float32Array;
}

/**
 * Yields what each dispatch wrote that `without` is not true of, float16 as the float32 values that it stands for, masks not at all. Inputs must be in their slots, and all
 * others hold zeros: what stood there before would be taken for what was written. For the same reason a slot is cleared
 * where values of another type follow: those that it held are used no more, and their bits would be other numbers.
 * @param encode encodes one dispatch, with the copy behind it
 */
export async function* traceDispatches(
  manifest: Manifest,
  memory: Memory,
  opened: OpenedDevice,
  { first, end, inputs }: Pick<Pass, 'first' | 'end' | 'inputs'>,
  encode: (dispatch: number, encoder: GPUCommandEncoder) => void,
  { without = () => false }: Tracing = {},
): AsyncGenerator<Traced, void, undefined> {
  const { device } = opened;
  const size = Math.max(...manifest.slots.map((_, slot) => memory.bytes(slot)));
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const staging = device.createBuffer({ label: 'trace', size, usage: MAP_READ | COPY_DST });
  const submit = (work: (encoder: GPUCommandEncoder) => void): Promise<void> =>
    guard(device, 'a traced dispatch', () => {
      const encoder = device.createCommandEncoder();
      work(encoder);
      device.queue.submit([encoder.finish()]);
    });
  const held = new Map<number, string>(inputs.map(({ slot, dtype }) => [slot, dtype]));
  try {
    for (let dispatch = first; dispatch < end; dispatch++) {
      if (without(manifest.dispatches[dispatch]!)) continue;
      const written = writtenSlots(manifest.dispatches[dispatch]!);
      await submit((encoder) => {
        for (const { slot, dtype } of written) {
          if ((held.get(slot) ?? dtype) !== dtype) memory.clear(slot, encoder);
          held.set(slot, dtype);
        }
        encode(dispatch, encoder);
      });
      for (const { slot, dtype, staged } of written) {
        if (dtype === 'u32' || staged) continue;
        await submit((encoder) => memory.copyOut(slot, encoder, staging));
        const bytes = memory.bytes(slot);
        const content = await answered(opened, 'reading back what a dispatch wrote', async () => {
          await staging.mapAsync(GPUMapMode.READ, 0, bytes);
          const copied = staging.getMappedRange(0, bytes).slice(0);
          staging.unmap();
          return copied;
        });
        yield { dispatch, slot, dtype, values: valuesOf(content, dtype) };
      }
    }
  } finally {
    staging.destroy();
  }
}

function valuesOf(content: ArrayBuffer, dtype: StoredType): Float32Array {
  return dtype === 'f16' ? float16ToFloat32(new Uint16Array(content)) : new Float32Array(content);
}

/** What a traced pass does otherwise than a pass. */
export interface Tracing {
  /** Which states it computes anew, whatever they held, by their names: those hold zeros before it. Default: none. */
  readonly anew?: (state: string) => boolean;
  /** Which dispatches it leaves out, so that what they would change stays. Default: none. */
  readonly without?: (dispatch: Dispatch) => boolean;
}

/** Zeros in every slot, which the pass before left something in, but those of states that the pass goes on from. */
export function clearSlots(
  manifest: Manifest,
  memory: Memory,
  device: GPUDevice,
  { anew = () => false }: Tracing,
): void {
  const kept = new Set(manifest.state.flatMap(({ name, slot }) => (anew(name) ? [] : [slot])));
  const encoder = device.createCommandEncoder();
  for (const slot of manifest.slots.keys()) if (!kept.has(slot)) memory.clear(slot, encoder);
  device.queue.submit([encoder.finish()]);
}

interface Written {
  readonly slot: number;
  readonly dtype: StoredType | 'u32';
  /** Whether it is written to become a texture, which is told. */
  readonly staged: boolean;
}

function writtenSlots({ bindings, copies = [] }: Dispatch): readonly Written[] {
  const staged = new Set(copies.map(({ from }) => from));
  const bound = bindings.flatMap((binding): readonly Written[] => {
    if (binding.kind !== 'slot' || binding.access === 'read') return [];
    const { slot, dtype = 'f32' } = binding;
    return [{ slot, dtype, staged: staged.has(slot) }];
  });
  const copied = copies.flatMap(({ to }): readonly Written[] =>
    to.kind === 'slot' ? [{ slot: to.slot, dtype: 'f32', staged: false }] : [],
  );
  return [...bound, ...copied];
}
