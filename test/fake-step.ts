// A step of training that computes nothing of a model: its tensors change by the batch and by what they were, so that a run
// that loses or repeats anything ends with other bytes.

import { parameters } from '../compiler/graph/parameters.ts';
import type { OpenStep } from '../engine/training/open-step.ts';
import { listOf } from '../runtime/port-values.ts';
import type { StepSettings, TrainedTensors, TrainingStep } from '../runtime/training/training-step.ts';

/** Elements of each tensor that change. */
const CHANGED = 8;

export interface FakeStepOptions {
  /** Losses of the step of a number are made of the usual ones. */
  readonly losses?: (step: number, usual: Float32Array) => Float32Array;
  /** Whether the gradients of a step overflow, so that nothing changes. */
  readonly overflows?: (settings: StepSettings) => boolean;
  /** Called when a step is asked for. */
  readonly onStep?: (step: number) => void;
}

export function openFakeStep({ losses, overflows, onStep }: FakeStepOptions = {}): OpenStep {
  return async ({ source, microbatch, emas, read }): Promise<TrainingStep> => {
    const named = parameters(source.graph);
    const copies = () => new Map(named.map(({ name }) => [name, Float32Array.from(read(name))]));
    const zeros = () => new Map(named.map(({ name }) => [name, new Float32Array(read(name).length)]));
    const places = new Map([
      ['parameters', copies()],
      ['exp_avg', zeros()],
      ['exp_avg_sq', zeros()],
      ...Array.from({ length: emas }, (_, k) => [`ema${k}`, copies()] as const),
    ]);
    const placeOf = (which: TrainedTensors) =>
      places.get(which.kind === 'ema' ? `ema${which.index}` : which.kind)!;
    return {
      ...{ parameters: named, frozen: new Set(), microbatch, adapter: 'a fake', bytes: 1_000_000 },
      async step({ x_start, noise, timesteps, weights }, settings) {
        onStep?.(settings.step);
        const taken = !overflows?.(settings);
        const sums = [x_start, noise, timesteps, weights!].map((value) =>
          Array.from(listOf(value)).reduce((sum, one, i) => sum + one * (1 + (i % 7)), 0),
        );
        const drive =
          Math.sin(sums.reduce((sum, one) => sum + one, settings.update)) * settings.learning_rate;
        for (const { name } of taken ? named : []) {
          const [parameter, m, v] = ['parameters', 'exp_avg', 'exp_avg_sq'].map(
            (kind) => places.get(kind)!.get(name)!,
          );
          for (let i = 0; i < Math.min(CHANGED, parameter!.length); i++) {
            m![i] = 0.9 * m![i]! + drive;
            v![i] = 0.99 * v![i]! + drive * drive;
            parameter![i]! -= m![i]! + v![i]!;
            settings.ema_rates.forEach((rate, k) => {
              const ema = places.get(`ema${k}`)!.get(name)!;
              ema[i] = rate * ema[i]! + (1 - rate) * parameter![i]!;
            });
          }
        }
        const usual = Float32Array.from(timesteps, (t, i) => 0.5 + 0.1 * t + 0.01 * i + drive);
        return {
          losses: { loss: losses?.(settings.step, usual) ?? usual },
          grad_norm: taken ? Math.abs(drive) : Number.POSITIVE_INFINITY,
          taken,
        };
      },
      findBadKernel: async (_, { loss_scale }) => ({
        kernel: `a fake kernel at scale ${loss_scale}`,
        exact: true,
      }),
      async read(which) {
        return new Map(
          named.map(({ name, shape }) => [name, { shape, data: placeOf(which).get(name)!.slice() }]),
        );
      },
      async write(which, tensors) {
        for (const [name, { data }] of tensors) placeOf(which).get(name)!.set(data);
      },
      async close() {},
    };
  };
}
