// The golden gradients as graph files, batches and expectations. Of each gradient the fixture has the norm, and elements
// that are a stride apart.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../compiler/format/json.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { loadGraph } from '../compiler/graph/load.ts';
import type { ModelInputs } from '../runtime/model.ts';
import { diffusionProcess } from '../runtime/sampler/process.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { lossInputs, type TrainingBatch } from '../runtime/training/loss-inputs.ts';
import { asFloat32, readTensors, type StoredTensor } from '../runtime/weights/safetensors.ts';

const FOLDER = join(import.meta.dirname, 'golden/train');

/** Diffusion models. */
export const TRAINING_NAMES = readdirSync(join(FOLDER, 'gradients')).sort();
/** Classifiers, under the names by which the functions below take them. */
export const CLASSIFIER_NAMES = readdirSync(join(FOLDER, 'classifiers'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `classifiers/${name}`)
  .sort();

function placeOf(name: string): string {
  return join(FOLDER, name.includes('/') ? name : `gradients/${name}`);
}

interface TrainingCase {
  readonly name: string;
  readonly model: 'UNetModel' | 'SuperResModel' | 'EncoderUNetModel';
  readonly kwargs: Readonly<Record<string, Json>>;
  readonly upsample?: string;
  readonly diffusion: Readonly<Record<string, Json>>;
  readonly weights: { readonly seed: number };
  readonly rel_l2_f32_vs_f64: number;
  readonly inputs: { readonly x_start: readonly number[]; readonly low_res?: readonly number[] };
}

export interface GoldenTraining {
  readonly graph: Graph;
  readonly seed: number;
  readonly batch: number;
  readonly inputs: ModelInputs;
  /** What the inputs are made of. */
  readonly trainingBatch: TrainingBatch;
  /** The error over all gradients that is allowed: 2e-5, or five times PyTorch's own where that is more. */
  readonly tolerance: number;
  /** `loss.*` [B], float32. */
  readonly losses: ReadonlyMap<string, ArrayLike<number>>;
  /** The relative L2 error over all gradients, and of the norm that is farthest off. */
  errorOf(gradient: (name: string) => ArrayLike<number>): { readonly all: number; readonly norm: number };
}

function trainingCase(name: string): TrainingCase {
  return JSON.parse(readFileSync(join(placeOf(name), 'case.json'), 'utf8')) as TrainingCase;
}

/** The text of a graph file for a case. */
export function trainingGraph(name: string): string {
  const { name: called, model, kwargs, upsample, diffusion, inputs } = trainingCase(name);
  const { x_start, low_res } = inputs;
  return JSON.stringify({
    version: 1,
    name: called,
    image_size: x_start.slice(2),
    ...(model === 'EncoderUNetModel'
      ? { adm_classifier: kwargs }
      : { unet: { ...kwargs, ...(upsample ? { upsample } : {}) } }),
    ...(low_res ? { super_resolution: { low_res_size: low_res.slice(2) } } : {}),
    diffusion,
  });
}

function recorded(name: string): ReadonlyMap<string, StoredTensor> {
  const origin = { kind: 'input', label: `${name}/expected.safetensors` } as const;
  return readTensors(readFileSync(join(placeOf(name), 'expected.safetensors')), origin);
}

function numbersOf(tensors: ReadonlyMap<string, StoredTensor>, key: string): number[] {
  return Array.from(tensors.get(key)!.data as ArrayLike<number | bigint>, Number);
}

/** The batch of a case. */
export function trainingBatch(name: string): TrainingBatch & { readonly x_start: Tensor } {
  const tensors = recorded(name);
  const image = (key: string) => asFloat32(tensors.get(key)!);
  return {
    x_start: image('x_start'),
    noise: image('noise'),
    timesteps: numbersOf(tensors, 'timesteps'),
    ...(tensors.has('y') ? { y: numbersOf(tensors, 'y') } : {}),
    ...(tensors.has('low_res') ? { low_res: image('low_res') } : {}),
  };
}

export function goldenTraining(name: string): GoldenTraining {
  const golden = trainingCase(name);
  const tensors = recorded(name);
  const { x_start: shape } = golden.inputs;
  const { graph } = loadGraph(trainingGraph(name), name);
  const numbers = (key: string) => numbersOf(tensors, key);
  const gradients = [...tensors.keys()].filter((key) => key.startsWith('grad.'));
  return {
    graph,
    seed: golden.weights.seed,
    batch: shape[0]!,
    trainingBatch: trainingBatch(name),
    inputs: lossInputs(diffusionProcess(graph.diffusion), trainingBatch(name)),
    tolerance: Math.max(2e-5, 5 * golden.rel_l2_f32_vs_f64),
    losses: new Map(
      [...tensors.keys()].filter((key) => key.startsWith('loss.')).map((key) => [key, numbers(key)]),
    ),
    errorOf(gradient) {
      let [error, norm, worst] = [0, 0, 0];
      for (const key of gradients) {
        const found = gradient(key);
        const expected = numbers(key);
        const stride = strideOf(found.length);
        expected.forEach((value, i) => {
          error += (found[i * stride]! - value) ** 2;
          norm += value ** 2;
        });
        const [of] = numbers(key.replace('grad.', 'norm.'));
        const mine = Math.sqrt(Array.from(found).reduce((sum, value) => sum + value ** 2, 0));
        if (of! > 1e-6) worst = Math.max(worst, Math.abs(mine / of! - 1));
      }
      return { all: Math.sqrt(error / norm), norm: worst };
    },
  };
}

/** Elements of a gradient between those that are in the fixture. */
function strideOf(length: number): number {
  const stride = Math.max(1, Math.ceil(length / 256));
  return stride > 1 && stride % 2 === 0 ? stride + 1 : stride;
}
