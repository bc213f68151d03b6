// What a run of training takes, said before it starts: whether its microbatches fit into the memory that is given and that is
// there, which would, and what a step costs. Nothing is written for it.

import os from 'node:os';
import { type AdapterDescription, adapterLine } from '../../runtime/adapter.ts';
import type { Bundle, Manifest } from '../../runtime/bundle.ts';
import { memoryOf } from '../../runtime/bundle.ts';
import { type InspectedAdapter, inspectAdapter } from '../../runtime/host/node/dawn.ts';
import { compileWith } from '../compile/compile-with.ts';
import type { ModelSettings } from '../compile/model-settings.ts';
import { targetFor } from '../compile/target-choice.ts';
import { memorySummary, type TrainingMemory, trainingMemory } from '../compile/training-memory.ts';
import { UsageError } from '../errors.ts';
import type { Host } from '../host.ts';
import type { GraphSource } from '../model/model-source.ts';
import { openMaterial, type RunMaterial } from './run-material.ts';
import type { TrainJob } from './train-job.ts';
import { heldOutBatch, lossBundle } from './validation.ts';

/** A step that is compiled for the adapter that is here, and fits. */
export interface PlannedStep {
  readonly bundle: Bundle;
  readonly adapter: AdapterDescription;
  /** What its user should know before it starts. */
  readonly notes: readonly string[];
  /** What its memory is for, block by block: computed when it is asked for. */
  memory(): TrainingMemory;
}

/** What a run would take, in the words of `--json`. Bytes are bytes. */
export interface TrainingPlan {
  readonly name: string;
  readonly adapter: string;
  readonly target: string;
  readonly batch: number;
  readonly microbatch: number;
  /** Where the run would end; null for one without an end. */
  readonly steps: number | null;
  readonly parameters: number;
  readonly memory: TrainingMemory;
  /** What the losses of held-out images take beside it; null where nothing is held out. */
  readonly validation_bytes: number | null;
  /** What the whole process takes of this machine, where the adapter is a processor; null elsewhere. */
  readonly process_bytes: number | null;
  /** Floating-point operations of a step: its microbatches, and the change of the parameters. */
  readonly flops: number;
  /** Seconds of a step as they are expected of this adapter; null where nothing is known of it. */
  readonly step_seconds: number | null;
  readonly notes: readonly string[];
}

/**
 * What Node, Dawn and the driver take beside what is on the adapter, where that is a processor, and what they take more for each
 * dispatch: its bind group, its line of the manifest. Of what was measured for the digits and CIFAR-10 (docs/training.md).
 */
const [PROCESS_BYTES, DISPATCH_BYTES] = [3.25e8, 2.9e4];

/** Floating-point operations a second that steps of training reach on Mesa's lavapipe, a processor of it (docs/training.md). */
const LAVAPIPE_RATE = 1e10;

/**
 * Compiles a step of microbatches of `settings.batch` samples for the adapter that is here. Throws UsageError where it does not fit
 * into `settings.memory` or the adapter's buffers, with the microbatch that would, and what `compileWith` throws.
 */
export async function planStep(source: GraphSource, settings: ModelSettings): Promise<PlannedStep> {
  const inspected = await inspectAdapter();
  const target = targetFor(settings.target, inspected);
  const { batch = 1, trainingStep } = settings;
  const compile = (size: number) => {
    // smaller parts of a batch add up their gradients
    const accumulates = size < batch || (trainingStep?.accumulates ?? false);
    const cut = { ...settings, batch: size, trainingStep: trainingStep && { ...trainingStep, accumulates } };
    return compileWith(source.graph, cut, target, source).bundle;
  };
  const bundle = compile(batch);
  const why = misfit(bundle.manifest, settings.memory, inspected);
  if (why !== null) throw refusal(source, bundle.manifest, why, settings, inspected, compile);
  const { adapter } = inspected;
  const again = bundle.manifest.compiler.recomputed?.length ?? 0;
  const memory = () => trainingMemory(source.graph, settings, target, bundle.manifest)!;
  return {
    ...{ bundle, adapter, memory },
    notes: [...(again > 0 ? memorySummary(memory()) : []), ...tight(bundle.manifest, adapter)],
  };
}

/** What a run would take: as it would be opened, with data and weights checked. Rejects as opening it does. */
export async function planRun(job: TrainJob, host: Pick<Host, 'signal'>): Promise<TrainingPlan> {
  if (job.reference) {
    throw new UsageError(
      (option) =>
        `${option('reference')}: without a GPU nothing is planned; leave it or ${option('dry_run')} out`,
    );
  }
  const material = await openMaterial(job, host.signal);
  try {
    const { settings, held } = material;
    const planned = await planStep(job.source, stepSettings(job, material));
    const { bundle, adapter, memory } = planned;
    const { manifest } = bundle;
    const microbatches = Math.ceil(settings.batch / settings.microbatch);
    const flops = flopsOfStep(manifest, microbatches);
    const losses = held === null ? null : await lossBundle(job, heldOutBatch(held, settings.microbatch));
    const validation_bytes = losses === null ? null : memoryOf(losses.manifest);
    const bytes = memoryOf(manifest) + (validation_bytes ?? 0);
    const rate = LAVAPIPE_RATE * os.availableParallelism();
    return {
      name: job.source.graph.name,
      adapter: adapterLine(adapter),
      target: manifest.target,
      batch: settings.batch,
      microbatch: settings.microbatch,
      steps: Number.isFinite(settings.steps) ? settings.steps : null,
      parameters: manifest.parameters.reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0),
      memory: memory(),
      validation_bytes,
      process_bytes: adapter.isFallback ? bytes + processBytes(manifest) : null,
      flops,
      step_seconds: adapter.isFallback ? flops / rate : null,
      notes: [...material.notes, ...planned.notes],
    };
  } finally {
    await material.close();
  }
}

/** How a run's step is compiled. */
export function stepSettings(
  { device }: Pick<TrainJob, 'device'>,
  { settings, frozen }: Pick<RunMaterial, 'settings' | 'frozen'>,
): ModelSettings {
  const { batch, microbatch, ema_rates, max_grad_norm } = settings;
  const waits = max_grad_norm !== undefined;
  const trainingStep = { averages: ema_rates.length, accumulates: batch > microbatch, waits, frozen };
  return { ...device, batch: microbatch, trainingStep };
}

function flopsOfStep({ passes, dispatches }: Manifest, microbatches: number): number {
  let first = 0;
  return passes.reduce((sum, { name, dispatches: length }) => {
    const flops = dispatches.slice(first, first + length).reduce((all, one) => all + one.flops, 0);
    first += length;
    return sum + flops * (name === 'gradients' || name === 'accumulate' ? microbatches : 1);
  }, 0);
}

/** Why a step cannot run here; null where it can. */
function misfit(manifest: Manifest, limit: number | undefined, { limits }: InspectedAdapter): string | null {
  const bytes = memoryOf(manifest);
  if (limit !== undefined && bytes > limit) return `takes at least ${megabytes(bytes)}`;
  const lack = Object.entries(manifest.requires.limits).find(
    ([name, value]) => value > (limits[name] ?? value),
  );
  return lack === undefined ? null : `needs ${lack[0]} ${lack[1]}, and the adapter has ${limits[lack[0]]}`;
}

function refusal(
  { graph }: GraphSource,
  manifest: Manifest,
  why: string,
  settings: ModelSettings,
  inspected: InspectedAdapter,
  compile: (batch: number) => Bundle,
): UsageError {
  let fits: number | null = null;
  for (let size = Math.floor(manifest.batch / 2); size >= 1 && fits === null; size = Math.floor(size / 2)) {
    if (misfit(compile(size).manifest, settings.memory, inspected) === null) fits = size;
  }
  const { memory: limit } = settings;
  return new UsageError((option) => {
    const place = limit === undefined ? '' : `${option('memory')} ${megabytes(limit)}: `;
    const smaller = fits === null ? [] : [`${option('microbatch')} ${fits}, which fits`];
    const more = limit === undefined ? [] : [`${option('memory')} ${Math.ceil(memoryOf(manifest) / 1e6)}MB`];
    const advice =
      [...smaller, ...more].join(', or ') || `an adapter with larger buffers, or a smaller ${option('size')}`;
    return (
      `${place}a step of ${graph.name} that computes ${manifest.batch} samples at once ${why}, ` +
      `with every block computed again that helps; use ${advice}`
    );
  });
}

function processBytes({ dispatches }: Manifest): number {
  return PROCESS_BYTES + DISPATCH_BYTES * dispatches.length;
}

/** A warning where a processor's memory may not suffice. */
function tight(manifest: Manifest, { isFallback }: AdapterDescription): readonly string[] {
  const [needed, there] = [memoryOf(manifest) + processBytes(manifest), os.freemem()];
  if (!isFallback || needed <= there) return [];
  return [
    `training takes some ${megabytes(needed)} of this machine's memory, of which ${megabytes(there)} are free; ` +
      'a memory limit or smaller microbatches take less',
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
}
