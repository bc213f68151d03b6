// Weights to begin training with: what PyTorch and the original would initialise, drawn by a seed.

import type { Graph } from '../../compiler/graph/graph.ts';
import { type Distribution, initialParameters } from '../../compiler/graph/initial.ts';
import { checkValue } from '../../runtime/arguments.ts';
import { checkWritable, writeLargeFile } from '../../runtime/host/node/files.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import { initialValues, normal, uniform } from '../../runtime/training/initial-values.ts';
import { safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import { UsageError } from '../errors.ts';
import { readGraph } from '../graph/graph-file.ts';
import { type Host, warnAll } from '../host.ts';
import { SEED } from '../options.ts';

/** What was written, in the words of `--json`. */
export interface InitResult {
  readonly name: string;
  readonly output: string;
  readonly seed: number;
  readonly tensors: number;
  readonly params: number;
  /** Tensors that are zero: those that the original sets to zero, and the biases of norms. */
  readonly zeros: number;
}

/** Writes the weights of a graph file. Rejects with GraphError, UsageError, RuntimeError('output'); the file appears whole. */
export async function initWeights(
  path: string,
  output: string,
  seed: number,
  host: Pick<Host, 'warn' | 'signal'>,
): Promise<InitResult> {
  checkValue('seed', seed, SEED);
  if (!output.endsWith('.safetensors')) {
    throw new UsageError(`${output}: the output is a safetensors file; let its name end in .safetensors`);
  }
  const { graph, warnings } = readGraph(path, {});
  warnAll(host, warnings, path);
  checkWritable(output);
  const drawn = draws(graph, seed);
  const toWrite = drawn.map(({ name, shape, draw }) => ({ name, shape, dtype: 'F32' as const, data: draw }));
  await writeLargeFile(output, safetensorsChunks(toWrite, { format: 'pt' }), host.signal);
  return {
    name: graph.name,
    output,
    seed,
    tensors: drawn.length,
    params: drawn.reduce((sum, { shape }) => sum + elements(shape), 0),
    zeros: drawn.filter(({ isZero }) => isZero).length,
  };
}

/** The weights of a graph by name, in checkpoint order. */
export function initialWeights(graph: Graph, seed: number): ReadonlyMap<string, Tensor> {
  checkValue('seed', seed, SEED);
  return new Map(draws(graph, seed).map(({ name, shape, draw }) => [name, { shape, data: draw() }]));
}

/** The same, each drawn when it is read: of a large model all of them would be there once more. */
export function initialReader(graph: Graph, seed: number): (name: string) => Float32Array {
  const drawn = new Map(draws(graph, seed).map(({ name, draw }) => [name, draw]));
  return (name) => drawn.get(name)!();
}

function draws(graph: Graph, seed: number) {
  return initialParameters(graph).map(({ name, shape, distribution }, index) => ({
    name,
    shape,
    isZero: distribution.kind === 'constant' && distribution.value === 0,
    draw: () => valuesOf(distribution, seed, index, elements(shape)),
  }));
}

function valuesOf(distribution: Distribution, seed: number, index: number, length: number): Float32Array {
  switch (distribution.kind) {
    case 'constant':
      return new Float32Array(length).fill(distribution.value);
    case 'uniform':
      return initialValues(seed, index, length, uniform(distribution.bound));
    case 'normal':
      return initialValues(seed, index, length, normal(distribution.deviation));
  }
}
