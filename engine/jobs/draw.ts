// Draws the samples of a job that its folder does not have yet, and writes each down before the next batch is begun.

import { RuntimeError } from '../../runtime/errors.ts';
import type { Model } from '../../runtime/model.ts';
import { groupChains } from '../../runtime/sampler/chain.ts';
import { denoiserOf } from '../../runtime/sampler/denoiser.ts';
import { NotFinite } from '../../runtime/sampler/finite.ts';
import type { DiffusionProcess } from '../../runtime/sampler/process.ts';
import { type SampleRequest, sampleShape } from '../../runtime/sampler/request.ts';
import { type StepReport, sample } from '../../runtime/sampler/sample.ts';
import { elements } from '../../runtime/tensor.ts';
import type { JobFolder } from './folder.ts';
import type { SampleJob } from './job.ts';
import type { Entry } from './manifest.ts';
import { FRAMES, type SampleStore } from './store.ts';
import type { JobHost } from './watch.ts';

/** Milliseconds that a step has to end after a signal: with what is saved then, the process is gone in two seconds. */
const GRACE = 1000;

/** Entries of what was drawn by seed, and the steps that batches took for it. */
export interface Drawn {
  readonly made: ReadonlyMap<number, Entry>;
  readonly steps: number;
}

/** Draws the samples that are missing and writes each. */
export async function drawSamples(
  job: SampleJob,
  process: DiffusionProcess,
  missing: readonly SampleRequest[],
  { state, store, done, lock }: JobFolder & { readonly store: SampleStore },
  model: Model,
  host: Pick<JobHost, 'watch' | 'signal'>,
): Promise<Drawn> {
  const made = new Map<number, Entry>();
  if (missing.length === 0) return { made, steps: 0 };
  const length = elements(sampleShape(denoiserOf(model.interface)));
  const chains = state.chains({ steps: process.timestep_map.length, length });
  const resumed = new Map(
    missing.flatMap(({ seed }, position) => {
      const chain = chains.get(seed);
      return chain === undefined ? [] : [[position, chain] as const];
    }),
  );
  let last: StepReport | null = null;
  let steps = 0;
  const save = (): void => {
    const chains = last?.chains() ?? [];
    if (chains.length === 0) return;
    lock.check();
    state.save(chains.map((chain) => ({ seed: chain.request.seed, state: chain.state })));
  };
  const groups = groupChains(missing, resumed, process.timestep_map.length - 1, model.interface.batch);
  const total = groups.reduce((steps, { index }) => steps + index + 1, 0);
  const work = { total, samples: missing.length, resumed: done.size };
  const watch = host.watch(work);
  try {
    const samples = sample(model, missing, {
      process,
      sampler: job.sampler,
      clip_denoised: job.clip,
      frames: FRAMES[job.trajectory],
      resumed,
      signal: host.signal,
      grace: GRACE,
      ...(job.guidance === null ? {} : { guidance: job.guidance }),
      ...(job.options.classifier === undefined ? {} : { classifier_scale: job.classifier_scale }),
      onStep(report) {
        last = report;
        steps = report.done;
        watch.step(report);
        if (job.checkpoint_every !== null && report.step % job.checkpoint_every === 0) save();
      },
    });
    for await (const one of samples) {
      lock.check();
      const entry = store.add(one);
      state.record([entry]);
      made.set(entry.seed, entry);
      watch.sample(entry);
    }
  } catch (error) {
    // what ended before the GPU failed is as good as ever; a value that is not finite is not
    const failed = error instanceof RuntimeError && error.kind === 'gpu' && !(error instanceof NotFinite);
    if (host.signal.aborted || failed) save();
    throw error;
  } finally {
    watch.end();
  }
  return { made, steps };
}
