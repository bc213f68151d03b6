// The texts of all kernels that graphs compile to, each once, whoever has it.

import { type CompileOptions, compileGraph } from '../../../compiler/compile.ts';
import type { Target } from '../../../compiler/target.ts';
import type { NamedGraph } from './graphs.ts';

export interface JudgedKernel {
  readonly file: string;
  readonly text: string;
  /** The first bundle that has it. */
  readonly bundle: string;
  /** Features of a device that its bundle asks for; how much memory it does is no matter of kernels. */
  readonly features: readonly string[];
}

const STEP: CompileOptions = { training: { averages: 1, accumulates: true }, dropout: true };

/**
 * What a graph is compiled for, by name. A step of training has all kernels of the gradients alone, and the gradient of a
 * classifier is a pass of its own behind the forward pass.
 */
function variantsOf({ graph }: NamedGraph): Readonly<Record<string, CompileOptions>> {
  if (graph.pool !== null) {
    return { 'f32 gradient': { gradient: true }, 'f16 gradient': { gradient: true, precision: 'f16' } };
  }
  return { f32: {}, f16: { precision: 'f16' }, step: STEP };
}

/** The distinct kernels of all bundles of the graphs for a target: forward passes, gradients and steps of training. */
export function kernelsOf(graphs: Iterable<NamedGraph>, target: Target): readonly JudgedKernel[] {
  const found = new Map<string, JudgedKernel>();
  for (const named of graphs) {
    for (const [variant, options] of Object.entries(variantsOf(named))) {
      const { manifest, kernels } = compileGraph(named.graph, { ...options, target }).bundle;
      const bundle = `${named.name}, ${variant}, ${target.name}`;
      for (const { file } of manifest.kernels) {
        const text = kernels.get(file)!;
        if (!found.has(text)) found.set(text, { file, text, bundle, features: manifest.requires.features });
      }
    }
  }
  return [...found.values()];
}
