// Computes the terms of a part of a job that are not known yet, and writes each down as it comes.

import type { Model } from '../../runtime/model.ts';
import type { Denoiser } from '../../runtime/sampler/denoiser.ts';
import type { DiffusionProcess } from '../../runtime/sampler/process.ts';
import { priorBound } from '../../runtime/training/bound.ts';
import type { Wanted } from '../data/batch.ts';
import type { Dataset } from '../data/dataset.ts';
import type { EvaluationFolder } from './folder.ts';
import { missingImages } from './images.ts';
import type { EvaluationHost } from './job.ts';
import { computeTerms, type PassOptions, type Task } from './passes.ts';
import { isWhole, missingIndices, setPrior, setTerm, type Terms } from './terms.ts';

/** Milliseconds that passes have to end after a signal: the process is gone in two seconds, and no term that is done is lost. */
const GRACE = 1000;

/** What a process does of a job. */
export interface Part extends Pick<PassOptions, 'noise' | 'clip'> {
  readonly process: DiffusionProcess;
  /** What the model takes, with the batch that it takes. */
  readonly face: Denoiser;
  readonly data: Dataset;
  readonly wanted: Wanted;
  /** Places in the data. */
  readonly range: readonly [number, number];
  readonly terms: Terms;
  readonly folder: EvaluationFolder | null;
}

/** What was done, by rows of the terms. */
export interface Computed {
  /** Images whose terms were all known before. */
  readonly resumed: number;
  /** Rows of images with all terms, and of those that cannot be read. */
  readonly whole: readonly number[];
  readonly skipped: readonly number[];
  /** Terms that were computed now. */
  readonly computed: number;
}

export async function computeMissing(model: Model, part: Part, host: EvaluationHost): Promise<Computed> {
  const { terms, folder, process, face, noise, clip } = part;
  const rows = Array.from({ length: terms.images }, (_, row) => row);
  const given = rows.filter((row) => isWhole(terms, row)).length;
  const before = terms.counts.reduce((sum, count) => sum + count, 0);
  const total = terms.images * terms.steps - before;
  const skipped: number[] = [];
  let done = 0;
  let computed = 0;
  const progress = host.progress({ label: 'evaluating', unit: 'terms', total });
  const skip = (row: number): void => {
    skipped.push(row);
    done += terms.steps - terms.counts[row]!;
  };
  async function* tasks(): AsyncGenerator<Task, void, undefined> {
    for await (const image of missingImages(part, skip, host.signal)) {
      const { row, digest } = image;
      // as every other value, a float32
      const prior = Math.fround(priorBound(process, image.x_start));
      if (terms.has_prior[row] === 0) folder?.records.append([{ kind: 'prior', row, prior, digest }]);
      setPrior(terms, row, prior);
      for (const index of missingIndices(terms, row)) yield { image, index };
    }
  }
  try {
    if (given < terms.images) {
      await computeTerms(model, face, tasks(), {
        ...{ process, clip, noise, signal: host.signal, grace: GRACE },
        onTerms(found) {
          folder?.check();
          folder?.records.append(found);
          for (const { row, index, term } of found) setTerm(terms, row, index, term);
          done += found.length;
          computed += found.length;
          progress.update(done);
        },
      });
    }
  } finally {
    progress.finish();
  }
  return { resumed: given, whole: rows.filter((row) => isWhole(terms, row)), skipped, computed };
}
