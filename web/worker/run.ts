// One run of a page: a job walked down step by step, which can be stopped, and gone on with on the same device or another.

import type { LoadedModel } from '../../runtime/loaded-model.ts';
import type { ChainState } from '../../runtime/sampler/chain.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { StepReport } from '../../runtime/sampler/sample.ts';
import { guidanceOf, type Job, requestsOf } from '../job.ts';
import type { Told } from '../messages.ts';
import type { PageModel } from '../page-model.ts';
import { pictureOf } from '../picture.ts';

/** A run and how far it is: kept between two calls of `walk`. */
export interface Run {
  readonly id: number;
  readonly job: Job;
  /** Positions of seeds whose pictures are done. */
  readonly finished: Set<number>;
  /** Where the chains of other seeds stand, by position. */
  readonly chains: Map<number, ChainState>;
  /** Seconds that it took so far. */
  seconds: number;
}

export function startRun(id: number, job: Job): Run {
  return { id, job, finished: new Set(), chains: new Map(), seconds: 0 };
}

/**
 * Takes a run to its end, and tells every step and every picture. Throws what `model.sample` throws; the run is then as far as it
 * came, and goes on from there in another call.
 */
export async function walk(
  run: Run,
  { model, page }: { readonly model: Pick<LoadedModel, 'sample'>; readonly page: PageModel },
  signal: AbortSignal,
  tell: (told: Told) => void,
): Promise<void> {
  const { id, job, finished, chains } = run;
  const steps = diffusionProcess(page.diffusion, job.steps).timestep_map.length;
  const requests = requestsOf(job);
  const left = requests.map((_, position) => position).filter((position) => !finished.has(position));
  const resumed = new Map(
    left.flatMap((position, i) => {
      const state = chains.get(position);
      return state === undefined ? [] : [[i, state] as const];
    }),
  );
  const begun = performance.now();
  const onStep = (report: StepReport) => {
    for (const { position, state } of report.chains()) chains.set(left[position]!, state);
    const behind = [...chains.values()].reduce((sum, { index }) => sum + steps - 1 - index, 0);
    tell({
      ...{ kind: 'step', run: id, step: report.step, steps },
      ...{ done: behind + finished.size * steps, total: requests.length * steps },
      guesses: report.guesses().map(({ position, image }) => {
        return { position: left[position]!, picture: pictureOf(image) };
      }),
    });
  };
  const options = {
    ...{ sampler: job.sampler, steps: job.steps, guidance: guidanceOf(page, job), resumed, signal, onStep },
    classifierScale: job.classifier_scale ?? undefined,
  };
  try {
    const asked = left.map((position) => requests[position]!);
    for await (const { position: i, image } of model.sample(asked, options)) {
      const position = left[i]!;
      finished.add(position);
      chains.delete(position);
      const values = Float32Array.from(image.data);
      tell({ kind: 'sample', run: id, placed: { position, picture: pictureOf(image) }, values });
    }
  } finally {
    run.seconds += (performance.now() - begun) / 1000;
  }
}
