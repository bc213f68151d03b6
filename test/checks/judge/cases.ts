// The golden cases as runs on a device that any host has opened: forward passes, classifiers with their gradients, gradients of
// training batches and whole steps of training, all as bundles for any GPU. What came out is told by its bits.

import { createHash } from 'node:crypto';
import { type CompileOptions, compileGraph } from '../../../compiler/compile.ts';
import type { Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import type { ModelInputs } from '../../../runtime/model.ts';
import type { OpenedDevice } from '../../../runtime/opened-device.ts';
import { createProgram } from '../../../runtime/program.ts';
import { programStep } from '../../../runtime/training/program-step.ts';
import { goldenForward } from '../../fixtures/golden-forward.ts';
import { weightsOf } from '../../fixtures/model-values.ts';
import { ALL_NAMES, CLASSIFIER_NAMES, goldenCase, goldenGraph } from '../../golden-cases.ts';
import { goldenTensors } from '../../golden-tensors.ts';
import { goldenTraining, TRAINING_NAMES } from '../../training-cases.ts';

/** What a case gave: SHA-256 of each output by name. */
export type Digests = Readonly<Record<string, string>>;

export interface JudgedCase {
  readonly name: string;
  run(opened: OpenedDevice): Promise<Digests>;
}

type Outputs = Iterable<readonly [name: string, tensor: { readonly data: Float32Array }]>;

function digestsOf(outputs: Outputs): Digests {
  const digest = (data: Float32Array) =>
    createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex');
  return Object.fromEntries([...outputs].map(([name, { data }]) => [name, digest(data)]));
}

/** Of a model whose activations and weights a processor computes within seconds. */
const small = (name: string) => goldenCase(name).params <= 1e7;

/** All cases, those of large models left out. */
export function judgedCases(): readonly JudgedCase[] {
  return [
    ...ALL_NAMES.filter(small).flatMap((name) => [forwardCase(name, 'f32'), forwardCase(name, 'f16')]),
    ...CLASSIFIER_NAMES.map(classifierCase),
    ...TRAINING_NAMES.flatMap((name) => [gradientsCase(name), stepCase(name)]),
  ];
}

function forwardCase(name: string, precision: 'f32' | 'f16'): JudgedCase {
  return {
    name: `${name} ${precision}`,
    run: (opened) => {
      const { given } = goldenForward(name);
      const options = { batch: given.x.shape[0]!, taps: true, precision };
      return pass(opened, graphOf(name), options, goldenCase(name).weights.seed, given);
    },
  };
}

function classifierCase(name: string): JudgedCase {
  return {
    name: `${name} gradient`,
    run: (opened) => {
      const golden = goldenTensors(`${name}/expected.safetensors`);
      const x = { shape: golden('x').shape, data: Float32Array.from(golden('x').data) };
      const inputs = { x, timesteps: golden('timesteps').data, y: golden('y').data };
      const options = { batch: x.shape[0]!, gradient: true };
      return pass(opened, graphOf(name), options, goldenCase(name).weights.seed, inputs);
    },
  };
}

function gradientsCase(name: string): JudgedCase {
  return {
    name: `train/${name} gradients`,
    run: (opened) => {
      const { graph, batch, seed, inputs } = goldenTraining(name);
      return pass(opened, graph, { batch, gradients: true }, seed, inputs);
    },
  };
}

/** Two updates by AdamW; parameters and a moving average are what came out. */
function stepCase(name: string): JudgedCase {
  return {
    name: `train/${name} steps`,
    run: async (opened) => {
      const { graph, batch, seed, trainingBatch } = goldenTraining(name);
      const training = { averages: 1, accumulates: false };
      const { bundle } = compileGraph(graph, { batch, training });
      const step = await programStep(await createProgram(bundle, weightsOf(graph, seed), opened), name);
      const by = { learning_rate: 1e-3, weight_decay: 0.05, ema_rates: [0.9] };
      for (const update of [1, 2])
        await step.step(trainingBatch, { ...by, update, seed: 0, step: update - 1 });
      const parameters = await step.read({ kind: 'parameters' });
      const averages = await step.read({ kind: 'ema', index: 0 });
      await step.close();
      return digestsOf([
        ...parameters,
        ...[...averages].map(([key, tensor]) => [`ema of ${key}`, tensor] as const),
      ]);
    },
  };
}

function graphOf(name: string): Graph {
  return loadGraph(goldenGraph(name), name).graph;
}

async function pass(
  opened: OpenedDevice,
  graph: Graph,
  options: CompileOptions,
  seed: number,
  inputs: ModelInputs,
): Promise<Digests> {
  const program = await createProgram(compileGraph(graph, options).bundle, weightsOf(graph, seed), opened);
  try {
    return digestsOf(await program.run(inputs));
  } finally {
    program.close();
  }
}
