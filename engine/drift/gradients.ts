// How far the gradients of two models in training are apart on the same batch: first the loss, then block by block in the order in
// which the backward pass comes to them.

import type { Graph } from '../../compiler/graph/graph.ts';
import { type GraphModule, graphModules } from '../../compiler/graph/modules.ts';
import type { ModelInputs } from '../../runtime/model.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { exampleInputs } from '../model/example-inputs.ts';
import { type RunInputs, toModelInputs } from '../model/run-inputs.ts';
import { checkedInputs, trainingFace } from '../training/gradients.ts';
import { type BlockDrift, type Drift, type DriftSide, distance, partingLayers } from './compare.ts';

/** The inputs of a batch that a file has. Throws RuntimeError('input') where it does not fit the model. */
export function givenBatch(given: RunInputs, graph: Graph, batch: number): ModelInputs {
  const tensors = toModelInputs(given, trainingFace(graph, batch)) as ModelInputs & TrainingBatch;
  return checkedInputs(tensors, graph, given.origin);
}

/** The same batch for both: noise for images and for noise, timesteps that are spread over the shorter process, shared labels. */
export function exampleBatches(graphs: readonly [Graph, Graph], batch: number): readonly ModelInputs[] {
  const steps = Math.min(...graphs.map(({ diffusion }) => diffusion.steps));
  const timesteps = Array.from({ length: batch }, (_, k) => Math.floor((steps * (k + 0.5)) / batch));
  const faces = graphs.map((graph) => trainingFace(graph, batch));
  const classes = Math.min(
    ...faces.flatMap(({ inputs }) =>
      inputs.flatMap((port) => (port.encoding === 'label' ? [port.classes] : [])),
    ),
  );
  return graphs.map((graph, k) => {
    const inputs = faces[k]!.inputs.map((port) => (port.encoding === 'label' ? { ...port, classes } : port));
    const noise = exampleInputs({ inputs }) as ModelInputs & TrainingBatch;
    const { shape, data } = noise.x_start as Tensor;
    const x_start = { shape, data: data.map(Math.tanh) };
    return checkedInputs({ ...noise, x_start, timesteps }, graph, {
      kind: 'input',
      label: 'the example batch',
    });
  });
}

/** Compares the losses and gradients of two runs over the same batch. */
export function compareGradients(a: DriftSide, b: DriftSide, tolerance: number): Drift {
  const names = [...new Set([...a.results.keys(), ...b.results.keys()])];
  const groups = new Map<string, readonly string[]>([
    ['loss', names.filter((name) => name.startsWith('loss.'))],
  ]);
  for (const { graph } of [a, b]) {
    for (const [path, parameters] of inBackwardOrder(graph)) {
      groups.set(path, [
        ...new Set([...(groups.get(path) ?? []), ...parameters.map((name) => `grad.${name}`)]),
      ]);
    }
  }
  const blocks: BlockDrift[] = [];
  const unmatched: string[] = [];
  for (const [path, tensors] of groups) {
    const both = tensors.flatMap((name) => {
      const [left, right] = [a.results.get(name), b.results.get(name)];
      if (left && right && left.shape.join() === right.shape.join())
        return [[left.data, right.data] as const];
      // what neither has, such as the gradient of what the loss does not depend on, is no difference
      if (left || right) unmatched.push(name);
      return [];
    });
    if (both.length === 0) continue;
    const [left, right] = [0, 1].map((side) => joined(both.map((pair) => pair[side]!)));
    blocks.push({ path, shape: [left!.length], ...distance(left!, right!) });
  }
  const first = blocks.find(({ relative_l2 }) => relative_l2 === null || relative_l2 > tolerance);
  return { blocks, unmatched, first: first ? { ...first, layers: partingLayers(a, b, first.path) } : null };
}

/** Names of parameters by the block that they are of, or by what stands beside the blocks; the last to compute first. */
function inBackwardOrder(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const blockOf = ({ path }: GraphModule) =>
    graph.blocks.find((block) => block.layers.some((layer) => layer.path === path))?.path ?? path;
  const found = new Map<string, string[]>();
  for (const module of graphModules(graph).toReversed()) {
    const path = blockOf(module);
    found.set(path, [...(found.get(path) ?? []), ...module.parameters.map(({ name }) => name)]);
  }
  return found;
}

function joined(lists: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}
