// Compiles a graph file to a bundle folder, or to the text of one of its stages.

import type { Compilation } from '../../compiler/compile.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { memoryTotals } from '../../compiler/memory/plan.ts';
import { printMemory } from '../../compiler/memory/print.ts';
import { printOpGraph } from '../../compiler/opgraph/print.ts';
import type { Precision } from '../../compiler/precision.ts';
import { printSchedule } from '../../compiler/schedule/print.ts';
import type { Target } from '../../compiler/target.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { checkWritableFolder } from '../../runtime/host/node/files.ts';
import { readGraph } from '../graph/graph-file.ts';
import { type Host, warnAll } from '../host.ts';
import { bundleFiles, writeBundle } from './bundle-folder.ts';
import { compileWith } from './compile-with.ts';
import { checkMemory } from './memory-limit.ts';
import type { ModelSettings } from './model-settings.ts';
import { targetHere } from './target-here.ts';
import { memorySummary, printBlocks, trainingMemory } from './training-memory.ts';
import { limitWarnings } from './usual-limits.ts';

export const STAGES = ['graph', 'ops', 'schedule', 'memory', 'kernels'] as const;
export type Stage = (typeof STAGES)[number];

export interface CompileJob {
  readonly settings: ModelSettings;
  /** The folder to write the bundle to; null for none. */
  readonly output: string | null;
  /** The stage to print; null for none. */
  readonly stage: Stage | null;
  /** Adds a typed module to the bundle. */
  readonly types: boolean;
}

/** What was done, in the words of `--json`. Bytes are bytes. */
export interface CompileResult {
  readonly name: string;
  /** The bundle's folder; null where only a stage was printed. */
  readonly output: string | null;
  readonly target: string;
  readonly precision: Precision;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly taps: boolean;
  readonly dispatches: number;
  readonly kernels: number;
  readonly activation_peak_bytes: number;
  readonly activation_bytes_without_reuse: number;
  readonly weight_bytes: number;
  /** Files of the bundle, relative to its folder. */
  readonly files: readonly string[];
  /** The stage of `--emit` and its text. */
  readonly emit?: { readonly stage: Stage; readonly text: string };
}

/**
 * Compiles. Throws UsageError for settings that the graph cannot be compiled with, GraphError, RuntimeError('output');
 * nothing is written before all is compiled.
 */
export async function compileModel(
  path: string,
  { settings, output, stage, types }: CompileJob,
  host: Pick<Host, 'warn'>,
): Promise<CompileResult> {
  const { batch = 1, taps = false, precision = 'f32', size, memory } = settings;
  const { graph, warnings, locate } = readGraph(path, { size });
  warnAll(host, warnings, path);
  if (output !== null) checkWritableFolder(output);
  const target = await targetHere(settings.target ?? 'generic');

  const compiled = compileWith(graph, settings, target, { label: path, locate });
  const { bundle } = compiled;
  checkMemory(bundle.manifest, memory, 'graph');
  warnAll(host, limitWarnings(bundle.manifest), path);
  const module = types ? (await import('./types-module.ts')).typesModule(bundle.manifest) : undefined;
  const files = bundleFiles(bundle, module);
  if (output !== null) writeBundle(output, files);
  const { shared, unshared } = memoryTotals(compiled.memory);
  return {
    name: graph.name,
    output,
    target: bundle.manifest.target,
    precision,
    batch,
    image_size: graph.image_size,
    taps,
    dispatches: bundle.manifest.dispatches.length,
    kernels: bundle.kernels.size,
    activation_peak_bytes: shared,
    activation_bytes_without_reuse: unshared,
    weight_bytes: bundle.manifest.memory.weights,
    files: output === null ? [] : [...files.keys()],
    ...(stage === null ? {} : { emit: { stage, text: printed(compiled, stage, settings, target) } }),
  };
}

/** A stage as text; of the memory of a training batch with what its blocks take. */
function printed(compiled: Compilation, stage: Stage, settings: ModelSettings, target: Target): string {
  const text = printStage(compiled, stage);
  if (stage !== 'memory') return text;
  const training = trainingMemory(compiled.graph, settings, target, compiled.bundle.manifest);
  if (training === null) return text;
  return `${text}${memorySummary(training).join('\n')}\n${printBlocks(training)}`;
}

/** One stage of a compilation as text. */
export function printStage({ graph, ops, schedule, memory, bundle }: Compilation, stage: Stage): string {
  switch (stage) {
    case 'graph':
      return printGraph(graph);
    case 'ops':
      return printOpGraph(ops);
    case 'schedule':
      return printSchedule(schedule);
    case 'memory':
      return printMemory(memory);
    case 'kernels':
      return printKernels(bundle);
  }
}

/** The text of every kernel, each under its file name and what uses it. */
function printKernels({ manifest, kernels }: Bundle): string {
  const texts = manifest.kernels.map(({ file }, kernel) => {
    const users = manifest.dispatches.flatMap((d, i) => (d.kernel === kernel ? [`#${i}`] : []));
    return `// ---- kernels/${file}  dispatches ${users.join(' ')}\n${kernels.get(file)?.trimEnd()}\n`;
  });
  return texts.join('\n');
}
