// The golden runs of the optimizer: eight steps whose batches, noise, timesteps and weights are given. Of what came out the
// fixture has elements that are a stride apart.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../compiler/format/json.ts';
import { hashWeights } from '../runtime/weights/hash.ts';
import { readTensors } from '../runtime/weights/safetensors.ts';

const FOLDER = join(import.meta.dirname, 'golden/train/steps');

export const STEP_CASES = ['adamw', 'adamw-microbatch'] as const;

interface StepCase {
  readonly kwargs: Readonly<Record<string, Json>>;
  readonly diffusion: Readonly<Record<string, Json>>;
  readonly weights: { readonly seed: number };
  readonly options: {
    readonly lr: number;
    readonly weight_decay: number;
    readonly lr_anneal_steps: number;
    readonly microbatch: number;
    readonly ema_rates: readonly number[];
    readonly steps: number;
  };
  readonly log: readonly { readonly loss: number; readonly grad_norm: number }[];
}

export interface GoldenSteps extends Pick<StepCase, 'options' | 'log'> {
  /** A graph file. */
  readonly graph: string;
  readonly weights: string;
  /** The file of the batches, as `--replay` takes it. */
  readonly replay: string;
  /** The relative L2 error of how far tensors are from the weights that the run began with; `kind` is `param` or `ema_RATE`. */
  errorOfChange(
    kind: string,
    tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>,
  ): number;
}

export function goldenSteps(name: (typeof STEP_CASES)[number]): GoldenSteps {
  const { kwargs, diffusion, weights, options, log } = JSON.parse(
    readFileSync(join(FOLDER, name, 'case.json'), 'utf8'),
  ) as StepCase;
  const replay = join(FOLDER, name, 'expected.safetensors');
  const expected = readTensors(readFileSync(replay), { kind: 'input', label: replay });
  const begun = hashWeights(`hash:${weights.seed}`)!;
  return {
    graph: JSON.stringify({ version: 1, name, image_size: 8, unet: kwargs, diffusion }),
    ...{ weights: `hash:${weights.seed}`, replay, options, log },
    errorOfChange(kind, tensors) {
      let [error, change] = [0, 0];
      for (const [name, { shape, data }] of tensors) {
        const before = begun.read(name, shape);
        const stride = strideOf(data.length);
        Array.from(expected.get(`${kind}.${name}`)!.data as Float32Array).forEach((value, i) => {
          // each stands for as many as a stride has: biases before a norm have no gradient, and Adam makes steps of roundings
          error += stride * (data[i * stride]! - value) ** 2;
          change += stride * (value - before[i * stride]!) ** 2;
        });
      }
      return Math.sqrt(error / change);
    },
  };
}

/** Elements of a tensor between those that are in the fixture. */
function strideOf(length: number): number {
  const stride = Math.max(1, Math.ceil(length / 64));
  return stride > 1 && stride % 2 === 0 ? stride + 1 : stride;
}
