// What a step of training takes of both sides of a diff: each graph compiled with its loss, gradients and update.

import { compileGraph } from '../../compiler/compile.ts';
import { GraphError } from '../../compiler/diagnostics.ts';
import type { TrainingCost, TrainingSides } from '../../compiler/diff/training.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import type { Target } from '../../compiler/target.ts';
import { compileOptions } from '../compile/compile-with.ts';
import { checkLoss, type ModelSettings } from '../compile/model-settings.ts';
import { targetFor } from '../compile/target-choice.ts';
import { type TrainingMemory, trainingMemory } from '../compile/training-memory.ts';
import { UsageError } from '../errors.ts';
import type { ReadSide } from './side.ts';
import type { TrainingChoice } from './training-choice.ts';

/** Of two sides that were read; null with a note where one of them cannot be trained. */
export function trainingOfSides(
  a: ReadSide,
  b: ReadSide,
  choice: TrainingChoice,
  target: string,
): { readonly training: TrainingSides | null; readonly notes: readonly string[] } {
  const without = (why: string) => ({ training: null, notes: [`training was not compared: ${why}`] });
  const [from, to] = [a.side.graph, b.side.graph];
  const unsized = [a, b].find(({ side }) => side.graph === null || side.unknown.has('image_size'));
  if (from === null || to === null || unsized !== undefined) {
    return without(`${unsized?.side.label} does not say the size of its images; name graphs`);
  }
  try {
    const at = targetFor(target);
    const old = costAt(from, choice, at, a);
    const now = JSON.stringify(from) === JSON.stringify(to) ? old : costAt(to, choice, at, b);
    const { batch, precision, memory: limit = null } = choice;
    const fits = limit !== null && now.bytes > limit ? largestFit(to, choice, at, b) : null;
    return { training: { batch, precision, a: old, b: now, limit, fits }, notes: [] };
  } catch (error) {
    // a sound graph may have no loss, or be beyond what the target's limits allow at this batch
    if (error instanceof UsageError) return without(error.message);
    if (!(error instanceof GraphError)) throw error;
    return without(`${error.file}: ${error.diagnostics[0]?.message ?? ''}`);
  }
}

function costAt(graph: Graph, choice: TrainingChoice, target: Target, side: ReadSide): TrainingCost {
  checkLoss(graph);
  const settings: ModelSettings = {
    ...{ batch: choice.batch, precision: choice.precision, memory: choice.memory },
    trainingStep: { averages: choice.averages, accumulates: false },
  };
  const place = { label: side.side.label, locate: side.locate };
  const { bundle } = compileGraph(graph, { ...compileOptions(graph, settings, target), place });
  return costOf(trainingMemory(graph, settings, target, bundle.manifest)!);
}

function costOf(memory: TrainingMemory): TrainingCost {
  const { bytes, state_bytes, activation_bytes, flops, recomputed_flops, blocks } = memory;
  const recomputed_blocks = blocks.filter(({ recomputed }) => recomputed).length;
  return { bytes, state_bytes, activation_bytes, flops, recomputed_flops, recomputed_blocks };
}

/** The largest of the halves of a batch that does not fit into the limit; null where none of them does. */
function largestFit(graph: Graph, choice: TrainingChoice, target: Target, side: ReadSide): number | null {
  for (let batch = Math.floor(choice.batch / 2); batch >= 1; batch = Math.floor(batch / 2)) {
    if (costAt(graph, { ...choice, batch }, target, side).bytes <= choice.memory!) return batch;
  }
  return null;
}
