// Compiles a graph file to a bundle folder, or to the text of one of its stages.

import { type Context, UsageError } from '../../cli/context.ts';
import { parseChoice } from '../../cli/parse.ts';
import type { Compilation } from '../../compiler/compile.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { memoryTotals } from '../../compiler/memory/plan.ts';
import { printMemory } from '../../compiler/memory/print.ts';
import { printOpGraph } from '../../compiler/opgraph/print.ts';
import { printSchedule } from '../../compiler/schedule/print.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { checkWritableFolder } from '../../runtime/host/node/files.ts';
import { printWarnings, readGraph } from '../graph/graph-file.ts';
import { bundleFiles, writeBundle } from './bundle-folder.ts';
import { compileWith } from './compile-with.ts';
import { checkMemory } from './memory-limit.ts';
import { parseSettings, type SettingWords } from './model-settings.ts';
import { targetHere } from './target-choice.ts';

const STAGES = ['graph', 'ops', 'schedule', 'memory', 'kernels'] as const;
export type Stage = (typeof STAGES)[number];

/** The words of the call, as commander gives them. */
export interface CompileWords extends SettingWords {
  readonly output?: string;
  readonly emit?: string;
  readonly types?: boolean;
}

/** What was done, in the words of `--json`. Bytes are bytes. */
export interface CompileResult {
  readonly name: string;
  /** The bundle's folder; null where only a stage was printed. */
  readonly output: string | null;
  readonly target: string;
  readonly precision: 'f32' | 'f16';
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

/** Compiles. Throws UsageError, GraphError, RuntimeError('output'); nothing is written before all is compiled. */
export async function compileModel(
  path: string,
  words: CompileWords,
  context: Context,
): Promise<CompileResult> {
  const { output } = words;
  const stage = words.emit === undefined ? null : parseChoice(words.emit, '--emit', STAGES);
  if (output === undefined && stage === null) {
    throw new UsageError('say where the bundle goes with -o DIR, or what to print with --emit STAGE');
  }
  if (output === undefined && words.types)
    throw new UsageError('--types: they go into the bundle, name it with -o DIR');
  const settings = parseSettings(words);
  const { batch = 1, taps = false, precision = 'f32', size, memory } = settings;
  const { graph, warnings, locate } = readGraph(path, { size });
  printWarnings(warnings, path, context);
  if (output !== undefined) checkWritableFolder(output);
  const target = await targetHere(settings.target ?? 'generic');

  const compiled = compileWith(graph, settings, target, { label: path, locate });
  const { bundle } = compiled;
  checkMemory(bundle.manifest, memory, 'graph');
  const types = words.types ? (await import('./types-module.ts')).typesModule(bundle.manifest) : undefined;
  const files = bundleFiles(bundle, types);
  if (output !== undefined) writeBundle(output, files);
  const { shared, unshared } = memoryTotals(compiled.memory);
  return {
    name: graph.name,
    output: output ?? null,
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
    files: output === undefined ? [] : [...files.keys()],
    ...(stage === null ? {} : { emit: { stage, text: printStage(compiled, stage) } }),
  };
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
