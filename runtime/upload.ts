// Weights on their way to the GPU: a tensor is read when its turn comes, into memory that is used again, and packed
// stretch by stretch straight into one of a few staging buffers. So beside the packed weights themselves there is never
// more than what is packed together and some megabytes.

import type { Manifest } from './bundle.ts';
import type { Memory } from './memory.ts';
import type { OpenedDevice } from './opened-device.ts';
import { createScratch, type Scratch } from './scratch.ts';
import { createStaging } from './staging.ts';
import { elements } from './tensor.ts';
import { runsOf, stretchesOf } from './weights/extent.ts';
import { packer } from './weights/pack.ts';

/** The values of a parameter by the graph's name, row-major float32. They may lie in `scratch`. */
export type ReadParameter = (name: string, scratch?: Scratch) => Float32Array;

/** What is packed at once, where it can be cut so small: it is still in a core's cache when zeros become weights. */
const STRETCH_BYTES = 2 ** 19;

/**
 * Packs and uploads all weights. Between pieces other work has its turn. Throws what `read` throws, and
 * RuntimeError('gpu').
 */
export async function uploadWeights(
  manifest: Manifest,
  memory: Memory,
  read: ReadParameter,
  opened: Pick<OpenedDevice, 'device' | 'pacing' | 'lost' | 'check'>,
): Promise<void> {
  const runs = manifest.weights.flatMap(({ parts }, entry) =>
    runsOf(parts, memory.floats(entry)).map((run) => {
      return { entry, parts: run.parts, stretches: stretchesOf(run, STRETCH_BYTES / 4) };
    }),
  );
  if (runs.length === 0) return;
  const scratches = scratchesFor(manifest, runs);
  const lengths = runs.flatMap(({ stretches }) => stretches.map(({ first, end }) => end - first));
  const staging = createStaging(memory, opened, 4 * Math.max(...lengths));
  try {
    for (const { entry, parts, stretches } of runs) {
      const packs = parts.map((part, i) => packer(part, read(part.param, scratches[i])));
      for (const { first, end } of stretches) {
        const to = await staging.place(entry, first, end - first);
        to.fill(0);
        for (const pack of packs) pack(to, first);
      }
    }
    await staging.arrived();
  } finally {
    staging.destroy();
  }
}

/** Memory for each parameter of a run: what is packed together is read together. */
function scratchesFor(
  { parameters }: Manifest,
  runs: readonly { readonly parts: readonly { readonly param: string }[] }[],
): readonly Scratch[] {
  const sizes = new Map(parameters.map(({ name, shape }) => [name, elements(shape)]));
  const longest: number[] = [];
  for (const { parts } of runs) {
    parts.forEach(({ param }, i) => {
      longest[i] = Math.max(longest[i] ?? 0, sizes.get(param)!);
    });
  }
  return longest.map(createScratch);
}
