// Runs a diff: reads both sides, compiles what has to be compiled, finds, and holds the findings against what was
// accepted.

import { compileGraph } from '../../compiler/compile.ts';
import { GraphError } from '../../compiler/diagnostics.ts';
import { type Diff, diffSides } from '../../compiler/diff/diff.ts';
import type { Finding } from '../../compiler/diff/finding.ts';
import { scheduleFacts } from '../../compiler/diff/schedule-facts.ts';
import type { DiffSide } from '../../compiler/diff/side.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { targetFor } from '../compile/target-choice.ts';
import { shippedTuning } from '../compile/tuning-choice.ts';
import type { DiffDocument } from './document.ts';
import { type DiffOptions, documentOf, shownSide } from './make-document.ts';
import type { ReadSide } from './side.ts';
import { trainingOfSides } from './training.ts';

/** Blocks of both graphs together that are compiled unasked. */
const USUAL_BLOCKS = 250;

/** A diff as it is printed, and what pictures and rename maps are made of. */
export interface DiffRun {
  readonly document: DiffDocument;
  readonly diff: Diff;
}

/**
 * Compares two sides that were read. A schedule that cannot be compared is a note, not a failure. `besides` are findings
 * about the files themselves.
 */
export async function runDiff(
  a: ReadSide,
  b: ReadSide,
  options: DiffOptions,
  besides: readonly Finding[] = [],
): Promise<DiffRun> {
  const { sides, bundles, notes } = compileSides(a, b, options);
  const target = (a.bundle ?? b.bundle)?.manifest.target ?? options.target;
  const { training, notes: untrained } =
    options.training === null ? NOT_ASKED : trainingOfSides(a, b, options.training, target);
  const found = diffSides(sides.a, sides.b, training);
  const diff = { ...found, findings: [...besides, ...found.findings] };
  const kernels = options.kernels && bundles ? await kernelDiffs(bundles.a, bundles.b) : null;
  const document = documentOf(diff, {
    ...{ a: shownSide(a), b: shownSide(b), options, locate: b.locate },
    notes: [...a.notes, ...b.notes, ...notes, ...untrained],
  });
  return { document: { ...document, ...(kernels && { kernels }) }, diff };
}

const NOT_ASKED = { training: null, notes: [] } as const;

interface Compiled {
  readonly sides: { readonly a: DiffSide; readonly b: DiffSide };
  readonly bundles: { readonly a: Bundle; readonly b: Bundle } | null;
  readonly notes: readonly string[];
}

/** The sides with their schedules. A graph beside a bundle is compiled as that was. */
function compileSides(a: ReadSide, b: ReadSide, options: DiffOptions): Compiled {
  const sides = { a: a.side, b: b.side };
  const without = (notes: readonly string[]): Compiled => ({ sides, bundles: null, notes });
  const [from, to] = [a.side.graph, b.side.graph];
  if (!from || !to) {
    const unread = [a, b].filter(({ side }) => !side.graph).map(({ side }) => side.label);
    return without([`${unread.join(' and ')}: parameters alone are known; nothing else was compared`]);
  }
  if (a.bundle && b.bundle) return { sides, bundles: { a: a.bundle, b: b.bundle }, notes: [] };
  if (options.schedule === 'never') return without([]);
  const manifest = (a.bundle ?? b.bundle)?.manifest;
  if (!manifest && sameGraph(from, to)) return without([]);
  // what its size is not known of has no schedule
  if (a.side.unknown.has('image_size') || b.side.unknown.has('image_size')) return without([]);
  const blocks = from.blocks.length + to.blocks.length;
  const held = [from, to].some(({ budgets }) => budgets?.activation_bytes ?? budgets?.dispatches);
  if (options.schedule === 'auto' && blocks > USUAL_BLOCKS && !manifest && !held) {
    return without([
      `schedule and activation bytes were not compared: both graphs have ${blocks} blocks, more than ${USUAL_BLOCKS}; --schedule compares them`,
    ]);
  }
  const target = targetFor(manifest?.target ?? options.target);
  const { batch = 1, precision = 'f32', taps = false, strict = false } = manifest ?? {};
  const tuning = shippedTuning(target);
  const compile = ({ bundle, side: { label }, locate }: ReadSide, graph: Graph) => {
    const options = { batch, precision, taps, strict, target, tuning, place: { label, locate } };
    return bundle ?? compileGraph(graph, options).bundle;
  };
  let bundles: NonNullable<Compiled['bundles']>;
  try {
    bundles = { a: compile(a, from), b: compile(b, to) };
  } catch (error) {
    // a sound graph may still be beyond what the target's limits allow
    if (!(error instanceof GraphError)) throw error;
    const [{ message } = { message: '' }] = error.diagnostics;
    return without([`schedule and activation bytes were not compared: ${error.file}: ${message}`]);
  }
  return {
    sides: {
      a: { ...a.side, schedule: scheduleFacts(bundles.a) },
      b: { ...b.side, schedule: scheduleFacts(bundles.b) },
    },
    bundles,
    notes: [],
  };
}

function sameGraph(a: Graph, b: Graph): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Unified diffs of the kernels whose sources differ: variants that went beside variants that came, in order of use. */
async function kernelDiffs(a: Bundle, b: Bundle): Promise<NonNullable<DiffDocument['kernels']>> {
  const { unifiedDiff } = await import('./unified.ts');
  const { baseName } = await import('../../compiler/diff/schedule-facts.ts');
  const only = (these: Bundle, those: Bundle) =>
    [...these.kernels.keys()].filter((file) => !those.kernels.has(file));
  const [gone, fresh] = [only(a, b), only(b, a)];
  const names = [...new Set([...gone, ...fresh].map(baseName))].sort();
  return names.flatMap((kernel) => {
    const [old, now] = [gone, fresh].map((files) => files.filter((file) => baseName(file) === kernel)) as [
      string[],
      string[],
    ];
    return Array.from({ length: Math.max(old.length, now.length) }, (_, i) => {
      const [x, y] = [old[i], now[i]];
      const text = (bundle: Bundle, file: string | undefined) =>
        file === undefined ? '' : (bundle.kernels.get(file) ?? '');
      const names = [
        x === undefined ? '/dev/null' : `a/${x}`,
        y === undefined ? '/dev/null' : `b/${y}`,
      ] as const;
      return { kernel, diff: unifiedDiff(names, text(a, x), text(b, y)) };
    });
  });
}
