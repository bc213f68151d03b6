// Every kernel of a model compiled on the adapter, in a process that may die: a driver that crashes over a kernel takes the
// process along, and the next one goes on behind it.

import { compileWith } from '../../engine/compile/compile-with.ts';
import { targetHere } from '../../engine/compile/target-here.ts';
import { readGraph } from '../../engine/graph/graph-file.ts';
import { trustedToggles } from '../../engine/model/open-program.ts';
import { openDevice } from '../../runtime/host/node/dawn.ts';
import type { Outcome } from './gpu-experiments.ts';

/** A line that the compiling process writes: before a kernel, and behind it. */
export type KernelLine =
  | { readonly kernel: number; readonly of: number; readonly file: string }
  | { readonly kernel: number; readonly ms: number; readonly fault: string | null };

/** Compiles the kernels from `first` on and tells of each. */
export async function compileKernels(
  model: string,
  batch: number,
  first: number,
  tell: (line: KernelLine) => void,
): Promise<void> {
  const target = await targetHere(undefined);
  const loaded = readGraph(model);
  const settings = { batch, precision: 'f16' as const };
  const { manifest, kernels } = compileWith(loaded.graph, settings, target, { label: model }).bundle;
  const opened = await openDevice({ requires: manifest.requires, toggles: trustedToggles(target.name) });
  for (const [kernel, { file }] of manifest.kernels.entries()) {
    if (kernel < first) continue;
    tell({ kernel, of: manifest.kernels.length, file });
    const begin = performance.now();
    let fault: string | null = null;
    try {
      await opened.pipelines.get(file, kernels.get(file)!);
      opened.check();
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
    }
    tell({ kernel, ms: Number((performance.now() - begin).toFixed(1)), fault });
  }
  await opened.close();
}

/** Kernels with what they took or what is wrong with them. */
export interface CompiledKernels {
  readonly kernels: readonly {
    readonly file: string;
    readonly ms: number | null;
    readonly fault: string | null;
  }[];
}

/**
 * Goes over all kernels in as many processes as die. `start` runs one that begins at a kernel, gives its lines to `tell` and
 * resolves to what ended it, null where it came to its end.
 */
export async function surviveKernels(
  start: (first: number, tell: (line: KernelLine) => void) => Promise<string | null>,
): Promise<Outcome> {
  const found: { file: string; ms: number | null; fault: string | null }[] = [];
  for (let first = 0; ; ) {
    let begun = -1;
    let count = 0;
    const ended = await start(first, (line) => {
      if ('file' in line) {
        begun = line.kernel;
        count = line.of;
        found.push({ file: line.file, ms: null, fault: null });
      } else {
        found[found.length - 1] = { ...found.at(-1)!, ms: line.ms, fault: line.fault };
      }
    });
    if (ended === null) return { status: 'done', result: { kernels: found } };
    if (begun < first) return { status: 'failed', message: ended };
    if (found.at(-1)!.ms === null) found[found.length - 1] = { ...found.at(-1)!, fault: ended };
    first = begun + 1;
    if (first >= count) return { status: 'done', result: { kernels: found } };
  }
}
