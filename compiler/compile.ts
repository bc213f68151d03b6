// The arrows of the compiler on one screen: Graph, OpGraph, Schedule, MemoryPlan, Bundle.

import { type Bundle, memoryOf } from '../runtime/bundle.ts';
import { generateBundle } from './codegen/bundle.ts';
import { emitCalls, passingOf } from './codegen/emit.ts';
import type { GraphPlace } from './diagnostics.ts';
import { fitMemory } from './fit-memory.ts';
import type { Graph } from './graph/graph.ts';
import { lowerGraph } from './graph/lower.ts';
import { type MemoryPlan, planMemory } from './memory/plan.ts';
import { verifyMemory } from './memory/verify.ts';
import type { OpGraph } from './opgraph/opgraph.ts';
import { GRADIENT_PASSES, runPasses, trainingPasses } from './passes/index.ts';
import { training_loss } from './passes/training_loss.ts';
import type { Precision } from './precision.ts';
import { targetAt } from './schedule/backends/index.ts';
import { buildSchedule } from './schedule/build.ts';
import { type Tuning, tuningOfGraph } from './schedule/choices/tuning.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { UpdateOptions } from './schedule/update.ts';
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
  /** Draws dropout there, by an input `dropout`; else it is the identity, as it is in a forward pass. */
  readonly dropout?: boolean;
  /** A whole step of training: the loss, the gradients, and what is done with them. */
  readonly training?: UpdateOptions | undefined;
  readonly precision?: Precision;
  readonly target?: Target;
  /** Leaves out every algorithm that is less exact than the plain one. */
  readonly strict?: boolean;
  /**
   * Bytes that packed weights and activations may take together. Where they do not fit, kernels that need less are
   * chosen; the result may still take more where there are none.
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
  const { memoryLimit = Number.POSITIVE_INFINITY } = options;
  const ops = opsOf(graph, options);
  if (options.price !== undefined) return compileOps(graph, ops, options, options.price);
  return fitMemory(
    memoryLimit,
    (price) => compileOps(graph, ops, options, price),
    ({ bundle }) => memoryOf(bundle.manifest),
  );
}

/** The ops of what a graph is compiled for: a forward pass, or a training batch. */
function opsOf(graph: Graph, options: CompileOptions): OpGraph {
  const { batch = 1, taps = false, precision = 'f32', dropout = false } = options;
  const lowered = lowerGraph(graph, { batch, taps, precision });
  if (options.gradients || options.training) {
    return runPasses(
      training_loss(lowered, graph),
      trainingPasses({ dropout, frozen: options.training?.frozen ?? [] }),
    );
  }
  const forward = runPasses(lowered);
  return options.gradient ? runPasses(forward, GRADIENT_PASSES) : forward;
}

function compileOps(graph: Graph, ops: OpGraph, options: CompileOptions, price: number): Compilation {
  const { batch = 1, taps = false, precision = 'f32', strict = false, fuse = true, tuning } = options;
  const { place = { label: graph.name } } = options;
  const target = targetAt(options.target ?? GENERIC, precision);
  const schedule = buildSchedule(ops, target, fuse ? undefined : [], {
    ...{ strict, tuning, price },
    update: options.training,
  });
  verifySchedule(schedule);
  const emitted = emitCalls(schedule, target);
  const memory = planMemory(schedule, passingOf(emitted));
  verifyMemory(memory);
  const bundle = generateBundle(graph, schedule, emitted, memory, {
    target,
    batch,
    precision,
    taps,
    strict,
    pass: options.gradients || options.training ? 'gradients' : 'forward',
    place,
    compiler: {
      version: options.version ?? '',
      price,
      tuning: tuning === undefined ? null : tuningOfGraph(ops, tuning),
    },
  });
  return { graph, ops, schedule, memory, bundle };
}
