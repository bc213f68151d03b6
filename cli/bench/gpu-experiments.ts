// Runs experiments one after the other, each under a limit, and writes what each gave at once: what is there is not run again,
// so that a call that is cut off loses one experiment.

import fs from 'node:fs';
import { join } from 'node:path';
import { writeFile } from '../../runtime/host/node/files.ts';
import { type Experiment, nameOf } from './gpu-plan.ts';

/** What an experiment gave. */
export type Outcome =
  | { readonly status: 'done'; readonly result: unknown }
  | { readonly status: 'failed' | 'limit'; readonly message: string };

/** A file of results. */
export type Recorded = Outcome & {
  readonly experiment: Experiment;
  readonly unetc: string;
  readonly seconds: number;
};

export interface ExperimentRun {
  readonly folder: string;
  /** The version that results are of; those of another one are measured again. */
  readonly unetc: string;
  /** Also what failed before. */
  readonly again: boolean;
  readonly run: (experiment: Experiment) => Promise<Outcome>;
  readonly note: (line: string) => void;
}

/** Runs what is not there yet. */
export async function runExperiments(
  experiments: readonly Experiment[],
  { folder, unetc, again, run, note }: ExperimentRun,
): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  const known = new Map(readResults(folder).map((one) => [nameOf(one.experiment), one]));
  for (const [i, experiment] of experiments.entries()) {
    const name = nameOf(experiment);
    const before = known.get(name);
    const stands = before?.unetc === unetc && (before.status === 'done' || !again);
    note(`${i + 1}/${experiments.length} ${name}${stands ? `: ${before.status} before` : ''}`);
    if (stands) continue;
    const begin = performance.now();
    const outcome = await run(experiment);
    const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
    const recorded: Recorded = { experiment, unetc, seconds, ...outcome };
    writeFile(join(folder, `${name}.json`), `${JSON.stringify(recorded, null, 2)}\n`);
    note(`  ${outcome.status} in ${seconds} s${outcome.status === 'done' ? '' : `: ${outcome.message}`}`);
  }
}

/** All results of a folder, in the order of their names; files that are no results are left out. */
export function readResults(folder: string): readonly Recorded[] {
  if (!fs.existsSync(folder)) return [];
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().flatMap((name) => {
    try {
      const read = JSON.parse(fs.readFileSync(join(folder, name), 'utf8')) as Partial<Recorded>;
      return read.experiment !== undefined && read.status !== undefined ? [read as Recorded] : [];
    } catch {
      return [];
    }
  });
}
