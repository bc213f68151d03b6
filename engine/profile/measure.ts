// Profiles a model: the GPU's time of every dispatch over several runs, beside the wall time of whole passes.

import { parameters } from '../../compiler/graph/parameters.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import { createTimer, type Interval, milliseconds, TIMING_FEATURE } from '../../runtime/timing.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import { type Host, warnAll } from '../host.ts';
import { exampleInputs } from '../model/example-inputs.ts';
import { type ModelSource, readModel } from '../model/model-source.ts';
import type { ModelOptions } from '../model/open-model.ts';
import { type OpenedProgram, openProgram } from '../model/open-program.ts';
import { packageVersion } from '../package.ts';
import { median, sum } from '../statistics.ts';
import { measurePeaks } from './probe.ts';
import { type Analysis, analyse, type Peaks } from './profile.ts';

/** Dawn rounds timestamps to 65 µs unless this is switched off. */
export const QUANTIZATION = 'timestamp_quantization';

/** Passes before the first that counts: drivers generate code at the first dispatch. */
const WARMUP = 2;

export interface ProfileJob {
  readonly options: ModelOptions;
  readonly runs: number;
  /** What the adapter can do at most; what is not given is measured. */
  readonly peaks: Partial<Pick<Peaks, 'gflops_per_s' | 'gb_per_s'>>;
}

/** What `--json` prints. */
export interface Profile extends Analysis {
  readonly name: string;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly target: string;
  readonly precision: string;
  readonly adapter: string;
  readonly unetc: string;
  readonly runs: number;
  /** Median wall time of passes without timestamps: upload, computation and readback. */
  readonly pass_ms: number;
  readonly peaks: Peaks;
}

export interface Measured {
  readonly profile: Profile;
  /** When each dispatch ran, in the run whose GPU time is nearest to the median. */
  readonly timeline: readonly Interval[];
}

/** Throws GraphError, RuntimeError and, for a bundle with other settings, UsageError. */
export async function profileModel(path: string, job: ProfileJob, host: Host): Promise<Measured> {
  const source = await readModel(path, job.options);
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  const weights = await openRenamed(job.options.weights, job.options.renameMap, source.graph);
  const extras = { features: [TIMING_FEATURE], disabledToggles: [QUANTIZATION] };
  let opened: OpenedProgram;
  try {
    const { read, notes } = matchWeights(parameters(source.graph), weights, job.options);
    for (const note of notes) host.note(`${weights.label}: ${note}`);
    opened = await openProgram(source, read, job.options, host, extras);
  } finally {
    weights.close();
  }
  try {
    return await measure(source, opened, job, host);
  } finally {
    await opened.close();
  }
}

async function measure(
  { graph }: ModelSource,
  { program, device: opened }: OpenedProgram,
  { runs, peaks: given }: ProfileJob,
  host: Host,
): Promise<Measured> {
  const { manifest } = program;
  const { device } = opened;
  const inputs = exampleInputs(program.interface);
  const before = await peaksOf(device, given);
  const timer = createTimer(manifest.dispatches.length, device);
  const timelines: (readonly Interval[])[] = [];
  const passes: number[] = [];
  try {
    // Passes with and without timestamps in turn, so that both see the same machine.
    for (let run = -WARMUP; run < runs; run++) {
      host.signal.throwIfAborted();
      const begin = performance.now();
      await program.run(inputs);
      const ms = performance.now() - begin;
      await program.run(inputs, timer);
      const timeline = await timer.read();
      if (run < 0) continue;
      passes.push(ms);
      timelines.push(timeline);
    }
  } finally {
    timer.destroy();
  }
  const times = timelines.map((timeline) => timeline.map(milliseconds));
  // What else the machine does comes and goes: the peaks are the best of two moments.
  const peaks = best(before, await peaksOf(device, given));
  const analysis = analyse(manifest, times, peaks);
  const profile: Profile = {
    name: graph.name,
    batch: manifest.batch,
    image_size: manifest.image_size,
    target: manifest.target,
    precision: manifest.precision,
    adapter: adapterLine(opened.adapter),
    unetc: packageVersion(),
    runs,
    pass_ms: median(passes),
    peaks,
    ...analysis,
  };
  return { profile, timeline: timelines[nearest(times.map(sum), median(times.map(sum)))]! };
}

async function peaksOf(device: GPUDevice, given: ProfileJob['peaks']): Promise<Peaks> {
  const { gflops_per_s, gb_per_s } = given;
  if (gflops_per_s !== undefined && gb_per_s !== undefined)
    return { gflops_per_s, gb_per_s, source: 'given' };
  return { ...(await measurePeaks(device)), ...given };
}

function best(a: Peaks, b: Peaks): Peaks {
  return {
    ...a,
    gflops_per_s: Math.max(a.gflops_per_s, b.gflops_per_s),
    gb_per_s: Math.max(a.gb_per_s, b.gb_per_s),
  };
}

/** Index of the value that is nearest to `wanted`. */
function nearest(values: readonly number[], wanted: number): number {
  const distances = values.map((value) => Math.abs(value - wanted));
  return distances.indexOf(Math.min(...distances));
}
