// The arrows of the compiler on one screen: Graph, OpGraph, Schedule, MemoryPlan, Bundle.

import { type Bundle, memoryOf } from '../runtime/bundle.ts';
import { generateBundle } from './codegen/bundle.ts';
import { type Emitted, emitCalls, passingOf } from './codegen/emit.ts';
import type { GraphPlace } from './diagnostics.ts';
import { fitMemory, UNEXPANDED } from './fit-memory.ts';
import { type BlockCost, blockCosts, fitTraining, type TrainingChoice } from './fit-training.ts';
import { blocksOf, type Graph } from './graph/graph.ts';
import { lowerGraph } from './graph/lower.ts';
import { type MemoryPlan, planMemory } from './memory/plan.ts';
import { verifyMemory } from './memory/verify.ts';
import type { OpGraph } from './opgraph/opgraph.ts';
import { GRADIENT_PASSES, runPasses, trainingPasses } from './passes/index.ts';
import { training_loss } from './passes/training_loss.ts';
import type { Precision } from './precision.ts';
import { backendOf, targetAt } from './schedule/backends/index.ts';
import { buildSchedule } from './schedule/build.ts';
import { type Tuning, tuningOfGraph } from './schedule/choices/tuning.ts';
import type { Schedule } from './schedule/schedule.ts';
import { isLate, type UpdateOptions } from './schedule/update.ts';
import { verifySchedule } from './schedule/verify.ts';
import { GENERIC, type Target } from './target.ts';

export interface CompileOptions {
  /** Images in a forward pass; default 1. */
  readonly batch?: number;
  /** Adds the feature vectors of every block to the outputs. */
  readonly taps?: boolean;
  /** Adds labels `y` to the inputs of a classifier, and to its outputs `gradient`, that of Σ log softmax(output)[y] by x. */
  readonly gradient?: boolean;
  /** The loss of a training batch and the gradients of all parameters in the place of the model's output. */
  readonly gradients?: boolean;
  /** The losses of a batch alone in the place of the model's output: nothing is dropped, and nothing differentiated. */
  readonly losses?: boolean;
  /** Draws dropout there, by an input `dropout`; else it is the identity, as it is in a forward pass. */
  readonly dropout?: boolean;
  /** A whole step of training: the loss, the gradients, and what is done with them. */
  readonly training?: UpdateOptions | undefined;
  /** Of a training batch the paths of blocks that the backward pass computes again; default: all where the graph says so, else none. */
  readonly recomputed?: readonly string[] | undefined;
  readonly precision?: Precision;
  readonly target?: Target;
  /** Leaves out every algorithm that is less exact than the plain one. */
  readonly strict?: boolean;
  /** Chooses convolutions for the most samples a second, at every batch the same; else for the first sample. */
  readonly throughput?: boolean;
  /**
   * Bytes that packed weights and activations may take together. Where they do not fit, kernels that need less are
   * chosen, and in training blocks that are computed again; the result may still take more where there are none. Without a
   * limit training computes again what the graph says.
   */
  readonly memoryLimit?: number | undefined;
  /** The price of memory, as a bundle records it; without it the least at which the result fits `memoryLimit`. */
  readonly price?: number | undefined;
  /** The version of unetc that a bundle says wrote it. */
  readonly version?: string | undefined;
  /** What was measured on the adapter; without it a cost model chooses. */
  readonly tuning?: Tuning | undefined;
  /** False leaves every op a dispatch of its own: for comparison. */
  readonly fuse?: boolean;
  /** Where the graph came from, for messages; default: its name. */
  readonly place?: GraphPlace;
}

/** Every stage of a compilation. */
export interface Compilation {
  readonly graph: Graph;
  readonly ops: OpGraph;
  readonly schedule: Schedule;
  readonly memory: MemoryPlan;
  readonly bundle: Bundle;
}

/**
 * Compiles a checked graph. The same graph and options give the same bytes. Throws GraphError where the graph asks for
 * more than the target reaches.
 */
export function compileGraph(graph: Graph, options: CompileOptions = {}): Compilation {
  if (isTraining(options)) return compileTraining(graph, options);
  const { memoryLimit = Number.POSITIVE_INFINITY } = options;
  const ops = forwardOps(graph, options);
  const compileAt = (price: number) => bundleOf(graph, options, planOps(ops, options, price));
  if (options.price !== undefined) return compileAt(options.price);
  const lowest = expandsWeights(options) ? 0 : UNEXPANDED;
  return fitMemory(memoryLimit, compileAt, ({ bundle }) => memoryOf(bundle.manifest), lowest);
}

function expandsWeights({ target = GENERIC, precision = 'f32' }: CompileOptions): boolean {
  return backendOf(targetAt(target, precision)).expands.includes(precision);
}

/** What each block of a training batch costs, kept or computed again, in the order of the graph. */
export function trainingBlocks(graph: Graph, options: CompileOptions): readonly BlockCost[] {
  const paths = blocksOf(graph);
  const [kept, again] = [[], paths].map((recomputed) => planTraining(graph, options, { recomputed }));
  return blockCosts(kept!, again!, paths);
}

function isTraining({ gradients, training }: CompileOptions): boolean {
  return gradients === true || training !== undefined;
}

/** The first pass: one that changes parameters as their gradients come is the whole step. */
function passOf(options: CompileOptions, { update }: Schedule): 'forward' | 'gradients' | 'step' {
  if (!isTraining(options)) return 'forward';
  return update === null || isLate(update) ? 'gradients' : 'step';
}

/** A loss that is scaled in float16 waits for the norm of all gradients. */
function updateOf({ training, precision }: CompileOptions, passing: TrainingChoice['passing']) {
  return training && { ...training, passing, waits: training.waits || precision === 'f16' };
}

/** Memory has no price in training: with any limit the bits are the same. */
function compileTraining(graph: Graph, options: CompileOptions): Compilation {
  const { memoryLimit, recomputed = graph.use_checkpoint ? blocksOf(graph) : [] } = options;
  const planAt = (choice: TrainingChoice) => planTraining(graph, options, choice);
  const planned =
    memoryLimit === undefined
      ? planAt({ recomputed, passing: options.training?.passing })
      : fitTraining(memoryLimit, blocksOf(graph), planAt);
  return bundleOf(graph, options, planned);
}

function planTraining(graph: Graph, options: CompileOptions, choice: TrainingChoice): Planned {
  const { batch = 1, taps = false, precision = 'f32', dropout = false, training } = options;
  const { recomputed, passing } = choice;
  const ops = runPasses(
    training_loss(lowerGraph(graph, { batch, taps, precision }), graph),
    trainingPasses({ dropout, recomputed, frozen: training?.frozen ?? [] }),
  );
  return { ...planOps(ops, { ...options, training: updateOf(options, passing) }, 0), choice };
}

function forwardOps(graph: Graph, options: CompileOptions): OpGraph {
  const { batch = 1, taps = false, precision = 'f32', losses = false } = options;
  const lowered = lowerGraph(graph, { batch, taps, precision });
  const forward = runPasses(losses ? training_loss(lowered, graph) : lowered);
  return options.gradient ? runPasses(forward, GRADIENT_PASSES) : forward;
}

/** All of a compilation but the bundle. */
interface Planned extends Pick<Compilation, 'ops' | 'schedule' | 'memory'> {
  readonly target: Target;
  readonly emitted: Emitted;
  readonly standing: Emitted['weights']['standing'];
  readonly price: number;
  readonly choice: TrainingChoice;
}

function planOps(ops: OpGraph, options: CompileOptions, price: number): Planned {
  const { precision = 'f32', strict = false, throughput = false, fuse = true, tuning } = options;
  const target = targetAt(options.target ?? GENERIC, precision);
  const schedule = buildSchedule(ops, target, fuse ? undefined : [], {
    ...{ strict, throughput, tuning, price },
    update: options.training,
  });
  verifySchedule(schedule);
  const emitted = emitCalls(schedule, target);
  const memory = planMemory(schedule, passingOf(emitted));
  verifyMemory(memory);
  const { standing } = emitted.weights;
  return { ops, target, schedule, emitted, standing, memory, price, choice: { recomputed: [] } };
}

function bundleOf(graph: Graph, options: CompileOptions, planned: Planned): Compilation {
  const { batch = 1, taps = false, precision = 'f32', strict = false, tuning } = options;
  const { place = { label: graph.name }, version = '' } = options;
  const { ops, target, schedule, emitted, memory, price, choice } = planned;
  const { recomputed, passing } = choice;
  const bundle = generateBundle(graph, schedule, emitted, memory, {
    target,
    batch,
    precision,
    taps,
    strict,
    pass: passOf(options, schedule),
    place,
    compiler: {
      version,
      price,
      tuning: tuning === undefined ? null : tuningOfGraph(ops, tuning),
      ...(options.throughput ? { throughput: true } : {}),
      ...(recomputed.length > 0 ? { recomputed } : {}),
      ...(passing === undefined ? {} : { passing }),
    },
  });
  return { graph, ops, schedule, memory, bundle };
}
