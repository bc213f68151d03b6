// Profiles a model: the GPU's time of every dispatch over several runs, beside the wall time of whole passes.

import { parameters } from '../../compiler/graph/parameters.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import {
  createTimer,
  type DispatchTimer,
  type Interval,
  milliseconds,
  TIMING_FEATURE,
} from '../../runtime/timing.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import { deviceOf, findDevice } from '../expected/devices.ts';
import { type ExpectedPass, expectedPass } from '../expected/expected-time.ts';
import { type Host, warnAll } from '../host.ts';
import { exampleInputsOf } from '../model/example-inputs.ts';
import { type ModelSource, readModel } from '../model/model-source.ts';
import type { ModelOptions } from '../model/open-model.ts';
import { bundleOf, type OpenedProgram, openProgram } from '../model/open-program.ts';
import { packageVersion } from '../package.ts';
import { median, sum } from '../statistics.ts';
import { createProbe } from './probe.ts';
import { type Analysis, analyse, type Peaks, raisedPeaks } from './profile.ts';

/** Dawn rounds timestamps to 65 µs unless this is switched off. */
export const QUANTIZATION = 'timestamp_quantization';

/** Passes before the first that counts: drivers generate code at the first dispatch. */
const WARMUP = 2;

/** Rounds of the probe between the runs. */
const PROBED = 5;

export interface ProfileJob {
  readonly options: ModelOptions;
  readonly runs: number;
  /** What the adapter can do at most; what is not given is measured. */
  readonly peaks: Partial<Pick<Peaks, 'gflops_per_s' | 'gb_per_s'>>;
  /** The GPU that the cost model expects times of; default: the adapter's, where it knows it. */
  readonly device?: string | undefined;
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
  /**
   * Median wall time of passes without timestamps: upload, computation and readback. Their dispatches are one compute pass,
   * and those that depend on timesteps and labels alone are recalled.
   */
  readonly pass_ms: number;
  /**
   * What these passes take of processors, all threads of this process together: where shaders run on a processor, their time
   * however much else it has to do.
   */
  readonly pass_cpu_ms: number;
  /** The GPU that the cost model takes the adapter for, and what it expects of all dispatches together. */
  readonly expected?: { readonly device: string; readonly title: string; readonly ms: number };
  /** A pass with timestamps, part by part. */
  readonly timed: TimedPass;
  readonly peaks: Peaks;
}

/** Where the wall time of a pass with timestamps goes, as medians; the parts add up to the whole. */
export interface TimedPass {
  readonly ms: number;
  /** In dispatches: `gpu_ms`. */
  readonly dispatches_ms: number;
  /** Between them, from the first to the last: barriers, and what timestamps cost. */
  readonly between_ms: number;
  /** Before the first and behind the last: upload, submission, readback. */
  readonly outside_ms: number;
}

export interface Measured {
  readonly profile: Profile;
  /** When each dispatch ran, in the run whose GPU time is nearest to the median. */
  readonly timeline: readonly Interval[];
}

/** Throws GraphError, RuntimeError and, for a bundle with other settings, UsageError. */
export async function profileModel(path: string, job: ProfileJob, host: Host): Promise<Measured> {
  const named = job.device === undefined ? null : findDevice(job.device);
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
    const gpu = named ?? (opened.device.adapter.isFallback ? null : deviceOf(opened.device.adapter));
    const expected = gpu === null ? null : expectedPass(await bundleOf(source, job.options), gpu);
    return await measure(source, opened, job, expected, host);
  } finally {
    await opened.close();
  }
}

async function measure(
  { graph }: ModelSource,
  { program, device: opened }: OpenedProgram,
  { runs, peaks: given }: ProfileJob,
  expected: ExpectedPass | null,
  host: Host,
): Promise<Measured> {
  const { manifest } = program;
  // a step of training is all of its passes
  const names = manifest.passes.map(({ name }) => name);
  const inputs = exampleInputsOf(manifest);
  const run = (timer?: DispatchTimer) => program.runPasses(names, inputs, timer);
  const known = given.gflops_per_s !== undefined && given.gb_per_s !== undefined;
  const probe = known ? null : await createProbe(opened);
  const timer = createTimer(manifest.dispatches.length, opened);
  const timelines: (readonly Interval[])[] = [];
  const passes: number[] = [];
  const cpu: number[] = [];
  const walls: number[] = [];
  const timedRun = async (run: () => Promise<unknown>) => {
    const begin = performance.now();
    await run();
    return performance.now() - begin;
  };
  try {
    // Passes with and without timestamps, and now and then the probe, in turn, so that all see the same machine.
    const often = Math.ceil(runs / PROBED);
    for (let round = -WARMUP; round < runs; round++) {
      host.signal.throwIfAborted();
      const before = process.cpuUsage();
      const ms = await timedRun(() => run());
      const { user, system } = process.cpuUsage(before);
      const wall = await timedRun(() => run(timer));
      const timeline = await timer.read();
      if (round < 0) continue;
      passes.push(ms);
      cpu.push((user + system) / 1000);
      walls.push(wall);
      timelines.push(timeline);
      if (probe !== null && round % often === often - 1) {
        await probe.round();
        // what the probe pushed out of caches comes back in a pass that does not count
        await run();
      }
    }
    await probe?.settle();
  } finally {
    timer.destroy();
    probe?.destroy();
  }
  const times = timelines.map((timeline) => timeline.map(milliseconds));
  const measured: Peaks = { gflops_per_s: 0, gb_per_s: 0, source: 'given', ...probe?.peaks(), ...given };
  const first = analyse(manifest, times, measured);
  const peaks = raisedPeaks(measured, given, first.dispatches);
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
    pass_cpu_ms: median(cpu),
    timed: partsOf(analysis.gpu_ms, timelines, times, walls),
    peaks,
    ...analysis,
    ...(expected === null ? {} : besides(analysis, expected)),
  };
  return { profile, timeline: timelines[nearest(times.map(sum), median(times.map(sum)))]! };
}

/** What was expected beside what was measured. */
function besides(
  { dispatches }: Analysis,
  { device, title, ms, dispatches: expected }: ExpectedPass,
): Pick<Profile, 'expected' | 'dispatches'> {
  return {
    expected: { device, title, ms },
    dispatches: dispatches.map((one) => ({ ...one, expected_ms: expected[one.index]!.us / 1000 })),
  };
}

/** The parts of passes with timestamps. What clocks disagree about counts as no time. */
function partsOf(
  dispatches_ms: number,
  timelines: readonly (readonly Interval[])[],
  times: readonly (readonly number[])[],
  walls: readonly number[],
): TimedPass {
  const spans = timelines.map((timeline) => {
    const seen = timeline.filter(({ begin, end }) => end > begin);
    if (seen.length === 0) return 0;
    const first = seen.reduce((least, { begin }) => (begin < least ? begin : least), seen[0]!.begin);
    const last = seen.reduce((most, { end }) => (end > most ? end : most), seen[0]!.end);
    return milliseconds({ begin: first, end: last });
  });
  const between_ms = median(spans.map((span, run) => Math.max(0, span - sum(times[run]!))));
  const outside_ms = median(
    walls.map((wall, run) => Math.max(0, wall - Math.max(spans[run]!, sum(times[run]!)))),
  );
  return { ms: dispatches_ms + between_ms + outside_ms, dispatches_ms, between_ms, outside_ms };
}

/** Index of the value that is nearest to `wanted`. */
function nearest(values: readonly number[], wanted: number): number {
  const distances = values.map((value) => Math.abs(value - wanted));
  return distances.indexOf(Math.min(...distances));
}
