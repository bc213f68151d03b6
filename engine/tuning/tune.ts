// Tunes graphs: times the candidates of every convolution group on the adapter, and keeps what was measured in a file.

import type { Graph } from '../../compiler/graph/graph.ts';
import type { Tuning } from '../../compiler/schedule/choices/tuning.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import { checkWritable, pathKind } from '../../runtime/host/node/files.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { createPipelineCache } from '../../runtime/pipelines.ts';
import { targetHere } from '../compile/target-here.ts';
import { adapterKey, isOf, tuningFor } from '../compile/tuning-choice.ts';
import { readTuningFile, type TuningFile, writeTuningFile } from '../compile/tuning-file.ts';
import { UsageError } from '../errors.ts';
import { readGraph } from '../graph/graph-file.ts';
import { type Host, warnAll } from '../host.ts';
import type { ModelOptions } from '../model/open-model.ts';
import { packageVersion } from '../package.ts';
import { openForTuning, type Sample, timeVariants } from './measure.ts';
import { type Change, changesBetween, summarise, type TunedGroup, tuningOf } from './summary.ts';
import { compileVariants, convolutionsOf } from './variants.ts';

export interface TuneJob {
  /** `batch` samples are computed at once, of which the time of one is kept; `memory` and `strict` do not count. */
  readonly options: ModelOptions;
  readonly runs: number;
  /** The file to write, or undefined to print alone. */
  readonly output: string | undefined;
}

/** What `--json` prints. */
export interface TuneResult {
  readonly target: string;
  readonly adapter: string;
  readonly unetc: string;
  readonly runs: number;
  readonly batch: number;
  readonly output: string | null;
  readonly groups: readonly TunedGroup[];
  /** Against the file that stood there; null where there was none. */
  readonly changes: readonly Change[] | null;
}

/** Throws GraphError, UsageError, RuntimeError. The file appears whole, after everything was measured. */
export async function tune(
  paths: readonly string[],
  { options, runs, output }: TuneJob,
  host: Host,
): Promise<TuneResult> {
  const graphs = paths.map((path): Graph => {
    const { graph, warnings } = readGraph(path, { size: options.size });
    warnAll(host, warnings, path);
    return graph;
  });
  if (output !== undefined) checkWritable(output);
  const target = await targetHere(options.target);
  const older = olderFile(output, target.name);
  const tuning = options.tuning === undefined && older ? older.groups : tuningFor(target, options);
  const { precision = 'f32', batch = 1 } = options;
  const compiled = graphs.map((graph) => compileVariants(graph, { target, precision, tuning, batch }));
  const bundles = compiled.flatMap(({ variants }) => variants.map(({ bundle }) => bundle));
  const opened = await openForTuning(bundles, target.name, options.timeout);
  try {
    const cache = createPipelineCache(opened.device);
    const samples: Sample[] = [];
    for (const { variants } of compiled)
      samples.push(...(await timeVariants(variants, opened, cache, { options, runs }, host)));
    const measured = tuningOf(samples);
    const before = compiled.flatMap((one) => convolutionsOf(one.before));
    if (output !== undefined) {
      const groups = { ...kept(older, opened, output, host), ...measured };
      const adapter = adapterKey(opened.adapter);
      writeTuningFile(output, { unetc: packageVersion(), target: target.name, adapter, groups });
    }
    return {
      ...{ target: target.name, adapter: adapterLine(opened.adapter), unetc: packageVersion(), runs, batch },
      output: output ?? null,
      groups: summarise(before, measured),
      changes: older ? changesBetween(older.groups, measured) : null,
    };
  } finally {
    await opened.close();
  }
}

/** The file that is to be written anew, or null where there is none. Throws UsageError where it is another target's. */
function olderFile(output: string | undefined, target: string): TuningFile | null {
  if (output === undefined || pathKind(output) !== 'file') return null;
  const file = readTuningFile(output);
  if (file.target === target) return file;
  throw new UsageError(
    (option) =>
      `${option('output')} ${output}: this file is for target ${file.target}; name another one for ${target}`,
  );
}

/** Groups of other graphs stay, but not beside those of another adapter. */
function kept(older: TuningFile | null, opened: OpenedDevice, output: string, host: Host): Tuning {
  if (!older || isOf(older, opened.adapter)) return older?.groups ?? {};
  const { name, driver } = older.adapter;
  host.note(`${output}: what was measured on ${name} (${driver}) is replaced`);
  return {};
}
