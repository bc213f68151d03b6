// Compiles a graph as the settings of a command or of the Node API say.

import { type Compilation, type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import type { GraphPlace } from '../../compiler/diagnostics.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import type { Target } from '../../compiler/target.ts';
import { packageVersion } from '../package.ts';
import { checkGradient, checkGradients, type ModelSettings } from './model-settings.ts';
import { tuningFor } from './tuning-choice.ts';
import { updateOptions } from './update-options.ts';

/**
 * For a target that was found for the settings, with the tuning that they name; `place` is for messages. Throws
 * GraphError, UsageError for a gradient of a model that has none, and what `tuningFor` throws.
 */
export function compileWith(
  graph: Graph,
  settings: ModelSettings,
  target: Target,
  place: GraphPlace,
): Compilation {
  checkGradient(graph, settings);
  checkGradients(graph, settings);
  return compileGraph(graph, { ...compileOptions(graph, settings, target), place });
}

/** The compiler's options for settings of a graph. Throws what `tuningFor` and `updateOptions` throw. */
export function compileOptions(graph: Graph, settings: ModelSettings, target: Target): CompileOptions {
  const { batch = 1, taps = false, gradient = false, gradients = false, strict = false } = settings;
  const { losses = false, dropout = false, precision = 'f32', memory, trainingStep } = settings;
  return {
    batch,
    taps,
    gradient,
    ...{ gradients, losses },
    dropout: dropout || trainingStep !== undefined, // who trains, drops
    training: trainingStep && updateOptions(graph, trainingStep),
    strict,
    throughput: settings.for === 'throughput',
    precision,
    target,
    memoryLimit: memory,
    tuning: tuningFor(target, settings),
    version: packageVersion(),
  };
}
