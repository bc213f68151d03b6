// Parameters that the loss does not depend on, such as those of a time embedding that no layer takes: a step on a device has
// nothing of them. They stay on the host, decay as all others do unless they are frozen, and are in every checkpoint.

import type { Tensor } from '../tensor.ts';
import { adamwUpdate, type UpdatedTensors } from './adamw.ts';
import type { TrainedTensors, TrainingStep } from './training-step.ts';

interface Still extends UpdatedTensors {
  readonly shape: readonly number[];
}

/**
 * A step of all parameters, in this order, by one of those that the loss depends on.
 * @param emas how many moving averages there are
 * @param read what the parameters are in the beginning, the moving averages with them
 * @param frozen which of all parameters stay as they are
 */
export function withStill(
  step: TrainingStep,
  parameters: TrainingStep['parameters'],
  emas: number,
  read: (name: string) => Float32Array,
  frozen: ReadonlySet<string> = step.frozen,
): TrainingStep {
  const moved = new Set(step.parameters.map(({ name }) => name));
  const still = new Map(
    parameters
      .filter(({ name }) => !moved.has(name))
      .map(({ name, shape }): [string, Still] => [
        name,
        beginning(shape, Float32Array.from(read(name)), emas),
      ]),
  );
  if (still.size === 0) return step;
  const hasMoments = ({ kind }: TrainedTensors) => kind === 'exp_avg' || kind === 'exp_avg_sq';
  const isThere = (which: TrainedTensors, name: string) => !(hasMoments(which) && frozen.has(name));
  return {
    ...step,
    ...{ parameters, frozen },
    async step(batch, settings) {
      const result = await step.step(batch, settings);
      if (!result.taken) return result;
      const moving = [...still].flatMap(([name, one]) => (frozen.has(name) ? [] : [one]));
      for (const one of moving) adamwUpdate(one, new Float32Array(one.parameter.length), settings);
      return result;
    },
    async read(which) {
      const found = await step.read(which);
      const own = ([name, one]: [string, Still]): [string, Tensor] => {
        return [name, { shape: one.shape, data: valuesOf(one, which).slice() }];
      };
      const all = new Map([...found, ...[...still].filter(([name]) => isThere(which, name)).map(own)]);
      return new Map(parameters.flatMap(({ name }) => (all.has(name) ? [[name, all.get(name)!]] : [])));
    },
    async write(which, tensors) {
      await step.write(which, tensors);
      for (const [name, one] of still) {
        const given = tensors.get(name);
        if (given === undefined || (frozen.has(name) && which.kind !== 'parameters')) continue;
        for (const place of frozen.has(name) ? [one.parameter, ...one.emas] : [valuesOf(one, which)]) {
          place.set(given.data);
        }
      }
    },
  };
}

function beginning(shape: readonly number[], parameter: Float32Array, emas: number): Still {
  return {
    ...{ shape, parameter },
    exp_avg: new Float32Array(parameter.length),
    exp_avg_sq: new Float32Array(parameter.length),
    emas: Array.from({ length: emas }, () => parameter.slice()),
  };
}

function valuesOf(one: Still, which: TrainedTensors): Float32Array {
  switch (which.kind) {
    case 'ema':
      return one.emas[which.index]!;
    case 'parameters':
      return one.parameter;
    case 'exp_avg':
    case 'exp_avg_sq':
      return one[which.kind];
  }
}
