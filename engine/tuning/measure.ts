// Times the variants of graphs on the adapter: whole forward passes in turn, each dispatch by the GPU's clock.

import type { Compilation } from '../../compiler/compile.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { DeviceRequirements } from '../../runtime/adapter.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { openDevice } from '../../runtime/host/node/dawn.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import type { PipelineCache } from '../../runtime/pipelines.ts';
import { createProgram, type Program, type ReadParameter } from '../../runtime/program.ts';
import { createTimer, type DispatchTimer, milliseconds, TIMING_FEATURE } from '../../runtime/timing.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import type { Host } from '../host.ts';
import { exampleInputs } from '../model/example-inputs.ts';
import type { ModelOptions } from '../model/open-model.ts';
import { needlessToggles, trustedToggles } from '../model/open-program.ts';
import { QUANTIZATION } from '../profile/measure.ts';
import { convolutionsOf } from './variants.ts';

/** Passes before the first that counts: drivers generate code at the first dispatch. */
const WARMUP = 1;

/** Packed weights of the programs that are held at once, so that their passes can take turns. */
const WEIGHT_BYTES = 2 * 2 ** 30;

/** What one convolution of a graph took. */
export interface Sample {
  readonly key: string;
  readonly candidate: string;
  /** Which convolution of which graph it is. */
  readonly place: string;
  /** Of one sample. */
  readonly microseconds: number;
}

/** Opens the adapter with its clock, for all bundles of a target that are to be measured. */
export function openForTuning(
  bundles: readonly Bundle[],
  target: string,
  timeout?: number,
): Promise<OpenedDevice> {
  const disabledToggles = [QUANTIZATION, ...needlessToggles(target)];
  const toggles = trustedToggles(target);
  return openDevice({ requires: requirementsOf(bundles), toggles, disabledToggles, timeout });
}

function requirementsOf(bundles: readonly Bundle[]): DeviceRequirements {
  const requires = bundles.map(({ manifest }) => manifest.requires);
  const limits: Record<string, number> = {};
  for (const [name, value] of requires.flatMap((one) => Object.entries(one.limits)))
    limits[name] = Math.max(limits[name] ?? 0, value);
  return {
    features: [...new Set([...requires.flatMap(({ features }) => features), TIMING_FEATURE])],
    limits,
  };
}

/** Times every variant of one graph: of each dispatch the least of `runs` passes. */
export async function timeVariants(
  variants: readonly Compilation[],
  opened: OpenedDevice,
  cache: PipelineCache,
  { options, runs }: { readonly options: ModelOptions; readonly runs: number },
  host: Host,
): Promise<readonly Sample[]> {
  const { graph } = variants[0]!;
  const source = await openRenamed(options.weights, options.renameMap, graph);
  const parts = inParts(variants);
  const total = variants.length * (WARMUP + runs);
  const progress = host.progress({ label: `tuning ${graph.name}`, total, unit: 'runs' });
  let done = 0;
  try {
    const matched = matchWeights(parameters(graph), source, options);
    for (const note of matched.notes) host.note(`${source.label}: ${note}`);
    const read = remembered(matched.read);
    const samples: Sample[] = [];
    for (const part of parts) {
      const times = await timePart(part, read, { opened, cache, runs }, () => {
        host.signal.throwIfAborted();
        progress.update(++done);
      });
      for (const [i, compilation] of part.entries()) samples.push(...samplesOf(compilation, times[i]!));
    }
    return samples;
  } finally {
    progress.finish();
    source.close();
  }
}

/** Every variant packs the same values in its own way. */
function remembered(read: ReadParameter): ReadParameter {
  const known = new Map<string, Float32Array>();
  return (name) => {
    const values = known.get(name) ?? read(name);
    known.set(name, values);
    return values;
  };
}

/** Variants in parts whose weights fit beside each other. */
function inParts(variants: readonly Compilation[]): readonly (readonly Compilation[])[] {
  const parts: Compilation[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const variant of variants) {
    const { weights } = variant.bundle.manifest.memory;
    if (bytes + weights > WEIGHT_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(variant);
    bytes += weights;
  }
  return parts;
}

interface Timing {
  readonly opened: OpenedDevice;
  readonly cache: PipelineCache;
  readonly runs: number;
}

/** The least milliseconds of each dispatch of each compilation, passes in turn. */
async function timePart(
  part: readonly Compilation[],
  read: ReadParameter,
  { opened, cache, runs }: Timing,
  afterPass: () => void,
): Promise<readonly (readonly number[])[]> {
  const running: { readonly program: Program; readonly timer: DispatchTimer }[] = [];
  const least = part.map(({ bundle }) =>
    bundle.manifest.dispatches.map((): number => Number.POSITIVE_INFINITY),
  );
  try {
    for (const { bundle } of part) {
      const program = await createProgram(bundle, read, opened, { cache });
      running.push({ program, timer: createTimer(bundle.manifest.dispatches.length, opened) });
    }
    const inputs = exampleInputs(running[0]!.program.interface);
    for (let run = -WARMUP; run < runs; run++) {
      for (const [i, { program, timer }] of running.entries()) {
        await program.run(inputs, timer);
        const times = (await timer.read()).map(milliseconds);
        if (run >= 0) least[i] = least[i]!.map((ms, k) => Math.min(ms, times[k]!));
        afterPass();
      }
    }
    return least;
  } finally {
    for (const { program, timer } of running) {
      timer.destroy();
      program.close();
    }
  }
}

function samplesOf(compilation: Compilation, ms: readonly number[]): readonly Sample[] {
  const { name } = compilation.graph;
  const { batch } = compilation.bundle.manifest;
  return convolutionsOf(compilation).map(({ anchor, key, candidate, dispatches }) => ({
    ...{ key, candidate, place: `${name} %${anchor}` },
    microseconds: (1000 * dispatches.reduce((sum, i) => sum + ms[i]!, 0)) / batch,
  }));
}
