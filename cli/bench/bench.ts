// Benchmarks one case: a model at one batch size, alone or side by side with other engines.

import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { InternalError } from '../../compiler/diagnostics.ts';
import { checkGradients } from '../../engine/compile/model-settings.ts';
import { warnAll } from '../../engine/host.ts';
import { readModel } from '../../engine/model/model-source.ts';
import type { ModelOptions } from '../../engine/model/open-model.ts';
import { median, relativeL2 } from '../../engine/statistics.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import type { Context } from '../context.ts';
import { hostOf } from '../host.ts';
import { coldStarts, type Start } from './cold-start.ts';
import { EngineAbsent } from './engine.ts';
import { type EngineProcess, type StartOptions, startEngine } from './engine-process.ts';
import { prepare } from './prepare.ts';
import {
  type EngineJob,
  type EngineName,
  isTorch,
  ON_GPU,
  type Peer,
  type ProgramFacts,
} from './protocol.ts';
import { runRounds } from './rounds.ts';

export interface BenchJob {
  readonly model: string;
  readonly options: ModelOptions;
  readonly peers: readonly Peer[];
  readonly runs: number;
  readonly warmup: number;
  /** Also measures starts without and with the driver's cache. */
  readonly cold: boolean;
  readonly threads: number;
  readonly python: string;
}

/** What was measured of one engine. */
export interface Timing {
  readonly ms_median: number;
  readonly ms_min: number;
  /** Passes that were measured: fewer than asked for where they take long. */
  readonly runs: number;
  /** From the start of the process to its first result, with the driver's cache as it was found. */
  readonly cold_start_ms: number;
  /** The same with an empty cache, and with one that holds every kernel; null where not measured. */
  readonly cold_start_without_cache_ms: number | null;
  readonly cold_start_with_cache_ms: number | null;
  /** The most memory that the process held. */
  readonly rss_peak_bytes: number;
  readonly gflops_per_s: number;
  readonly version: string;
  readonly device: string;
}

export type PeerResult =
  | ({
      readonly name: Peer;
      readonly status: 'measured';
      /** Its median over ours: above 1, unetc is faster. */
      readonly ratio: number;
      /** Relative L2 of our output against the peer's; of a step of training, of each sample's squared error. */
      readonly relative_l2: number;
    } & Timing)
  | { readonly name: Peer; readonly status: 'absent' | 'failed'; readonly reason: string };

/** What `--json` prints. */
export interface BenchResult extends Timing, Omit<ProgramFacts, 'driver'> {
  readonly name: string;
  readonly model: string;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly adapter: string;
  readonly driver: string;
  readonly warmup: number;
  /** Whether a run is a step of training: forward pass, loss, backward pass, AdamW and a moving average. */
  readonly training: boolean;
  readonly node: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly peers: readonly PeerResult[];
}

/** Milliseconds that one engine may run for before it sits out rounds. */
const BUDGET_MS = 60_000;

/** Before each pass: seen on two cores, a pass right behind one of ONNX Runtime took a tenth longer. */
const REST_MS = 60;

interface Running {
  readonly job: EngineJob;
  readonly process: EngineProcess;
}

/** Throws what opening a model throws; a peer's faults are its result. */
export async function bench(job: BenchJob, context: Context): Promise<BenchResult> {
  const source = await readModel(job.model, job.options);
  if (source.kind === 'graph') warnAll(hostOf(context), source.warnings, job.model);
  const batch = source.kind === 'bundle' ? source.bundle.manifest.batch : (job.options.batch ?? 1);
  const trains = job.options.trainingStep !== undefined;
  if (trains) checkGradients(source.graph, job.options);
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'unetc-bench-'));
  const processes: EngineProcess[] = [];
  const options: StartOptions = { python: job.python, signal: context.signal };
  const start = async (engine: EngineJob, env?: StartOptions['env']): Promise<EngineProcess> => {
    context.signal.throwIfAborted();
    const process = await startEngine(engine, env ? { ...options, env } : options);
    processes.push(process);
    return process;
  };
  try {
    const withOnnx = !trains && job.peers.some((p) => !isTorch(p));
    const prepared = await prepare(source, batch, job.options, withOnnx, folder, hostOf(context));
    const jobOf = (engine: EngineName): EngineJob => ({
      ...prepared,
      ...{ engine, model: job.model, settings: job.options, threads: job.threads },
      output: join(folder, `output-${engine}.safetensors`),
    });
    const results = await measure(job, jobOf, start, folder, context);
    const [ours, ...peers] = results;
    if (ours?.name !== 'unetc') throw new InternalError('the first engine is not unetc');
    const { driver, ...program } = ours.program;
    return {
      ...{ name: source.graph.name, model: job.model, batch, image_size: source.graph.image_size },
      ...ours.timing,
      ...program,
      ...{ adapter: ours.timing.device, driver, warmup: job.warmup, training: trains },
      ...{ node: process.version, cpu: os.cpus()[0]?.model.trim() ?? '?', cpus: os.availableParallelism() },
      peers: peers.flatMap((peer) => (peer.name === 'unetc' ? [] : [peer])),
    };
  } finally {
    for (const process of processes) process.kill();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

type Outcome =
  | { readonly name: 'unetc'; readonly timing: Timing; readonly program: ProgramFacts }
  | PeerResult;

async function measure(
  job: BenchJob,
  jobOf: (engine: EngineName) => EngineJob,
  start: (...words: Parameters<Start>) => Promise<EngineProcess>,
  folder: string,
  context: Context,
): Promise<readonly Outcome[]> {
  const out = new Map<Peer, PeerResult>();
  const drop = (name: EngineName, error: unknown) => {
    context.signal.throwIfAborted();
    if (name === 'unetc') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    out.set(name, { name, status: error instanceof EngineAbsent ? 'absent' : 'failed', reason });
  };
  const running = new Map<EngineName, Running>();
  for (const name of ['unetc', ...job.peers] as const) {
    try {
      const engine = jobOf(name);
      if (engine.training !== null && name !== 'unetc' && name !== 'torch') {
        throw new EngineAbsent('its row is that of forward passes; --train has one of torch, in float32');
      }
      if (isTorch(name) && engine.unet === null) {
        throw new EngineAbsent(
          'its model is that of graphs with `unet`, without super_resolution and conv_transpose',
        );
      }
      context.stderr(`starting ${name}\n`);
      const process = await start(engine);
      await process.write();
      running.set(name, { job: engine, process });
    } catch (error) {
      drop(name, error);
    }
  }

  const engines = [...running];
  const times = await runRounds(
    engines.map(([, { process }]) => process),
    {
      ...{ warmup: job.warmup, runs: job.runs, budgetMs: BUDGET_MS, restMs: REST_MS },
      check: () => context.signal.throwIfAborted(),
      done: (round) => context.interactive && context.stderr(`\rround ${round} of ${job.warmup + job.runs} `),
    },
    (i, error) => drop(engines[i]![0], error),
  );
  if (context.interactive) context.stderr('\r\u001b[K');

  const program = running.get('unetc')!.process.ready.program!;
  const measured = new Map<EngineName, Timing>();
  for (const [i, [name, { process }]] of engines.entries()) {
    const ms = times[i];
    if (!ms) continue;
    try {
      const { rss_peak_bytes } = await process.end();
      measured.set(name, timingOf(process, ms, rss_peak_bytes, program.flops));
    } catch (error) {
      drop(name, error);
    }
  }
  // Now that nothing else runs.
  for (const [name, timing] of measured) {
    if (!job.cold || !ON_GPU.includes(name)) continue;
    const { job: engine } = running.get(name)!;
    context.stderr(`starting ${name} without and with the driver's cache\n`);
    try {
      measured.set(name, { ...timing, ...(await coldStarts(engine, program.driver, folder, start)) });
    } catch (error) {
      drop(name, error);
    }
  }

  const ours = measured.get('unetc')!;
  return [
    { name: 'unetc', timing: ours, program },
    ...job.peers.map((name): PeerResult => {
      const timing = measured.get(name);
      const failure = out.get(name);
      if (failure || !timing) return failure ?? { name, status: 'failed', reason: 'it was not measured' };
      const relative_l2 = relativeL2(outputOf(jobOf('unetc')), outputOf(jobOf(name)));
      return { name, status: 'measured', ratio: timing.ms_median / ours.ms_median, relative_l2, ...timing };
    }),
  ];
}

function timingOf(process: EngineProcess, ms: readonly number[], rss: number, flops: number): Timing {
  const { version, device } = process.ready;
  const ms_median = median(ms);
  return {
    ...{ ms_median, ms_min: Math.min(...ms), runs: ms.length },
    cold_start_ms: process.cold_start_ms,
    ...{ cold_start_without_cache_ms: null, cold_start_with_cache_ms: null },
    rss_peak_bytes: rss,
    gflops_per_s: flops / ms_median / 1e6,
    ...{ version, device },
  };
}

function outputOf({ output }: EngineJob): Float32Array {
  const tensors = readTensors(fs.readFileSync(output), { kind: 'output', label: output });
  return tensors.get('output')!.data as Float32Array;
}
