// A step of training by a bundle that has it whole: the passes `gradients`, for several microbatches `accumulate`, then
// `update` and where weights wait to be read `pack`, on a device that keeps the parameters and all that belongs to them.

import { findBadKernel } from '../bad-kernel.ts';
import { RuntimeError } from '../errors.ts';
import type { Program } from '../program.ts';
import { diffusionProcess } from '../sampler/process.ts';
import type { Tensor } from '../tensor.ts';
import type { Anew } from '../trace.ts';
import { stepSettings } from './adamw.ts';
import { averagesIn } from './averages.ts';
import { drawsDropout } from './dropout.ts';
import { lossInputs, type TrainingBatch } from './loss-inputs.ts';
import { microbatches } from './microbatches.ts';
import type { StepSettings, TrainedTensors, TrainingStep } from './training-step.ts';

const LOSS = 'loss.';

/** A gradient of the step before that is not finite would stand beside those that a traced dispatch writes. */
const isGradient: Anew = (state) => state.startsWith('grad.');

/**
 * The step of a program that was compiled for training, of the parameters that its loss depends on; the first are those that the
 * program was made with. Closing it closes the program. Throws RuntimeError('input') for a bundle without such passes, and RuntimeError('gpu').
 */
export async function programStep(program: Program, adapter: string): Promise<TrainingStep> {
  const { manifest, state } = program;
  const accumulates = manifest.passes.some(({ name }) => name === 'accumulate');
  const averages = averagesIn(manifest);
  const { batch: microbatch, memory } = manifest;
  const kept = new Set(manifest.state.map(({ name }) => name));
  const parameters = manifest.parameters.filter(({ name }) => kept.has(`parameters.${name}`));
  const trained = parameters.filter(({ name }) => kept.has(`exp_avg.${name}`));
  const frozen = new Set(parameters.filter((one) => !trained.includes(one)).map(({ name }) => name));
  const process = diffusionProcess(manifest.diffusion);
  const drops = drawsDropout(manifest);
  const packs = manifest.passes.map(({ name }) => name).filter((name) => name.startsWith('pack'));
  const pack = async () => (packs.length > 0 ? program.runPasses(packs, {}) : undefined);
  const packsChanges = packs.filter((name) => name === 'pack');
  await pack();
  /** Where tensors of a kind stand, by the prefix of their states: of moving averages those of what is frozen are the parameters. */
  const placesOf = (which: TrainedTensors): readonly (readonly [string, TrainingStep['parameters']])[] => {
    const own = [prefixOf(which), which.kind === 'parameters' ? parameters : trained] as const;
    if (which.kind !== 'ema' || frozen.size === 0) return [own];
    return [own, ['parameters.', parameters.filter(({ name }) => frozen.has(name))]];
  };

  const partsOf = (batch: TrainingBatch, { seed, step, loss_scale }: StepSettings) =>
    microbatches(drops ? { ...batch, dropout: { seed, step } } : batch, microbatch, loss_scale);

  return {
    ...{ parameters, frozen, microbatch, adapter },
    bytes: memory.activations + memory.weights,
    async step(batch, settings) {
      const count = batch.timesteps.length;
      const parts = partsOf(batch, settings);
      if (parts.length > 1 && !accumulates) {
        throw new RuntimeError(
          'input',
          `a batch of ${count} samples is more than the ${microbatch} that the step was compiled for`,
        );
      }
      const rates = settings.ema_rates.length;
      if (rates !== averages) {
        throw new RuntimeError(
          'input',
          `${rates} rates of moving averages, the step was compiled for ${averages}`,
        );
      }
      const losses: Record<string, Float32Array> = {};
      const data = stepSettings(settings);
      const step_settings = { shape: [data.length], data };
      const computes = accumulates ? ['gradients', 'accumulate'] : ['gradients'];
      let [grad_norm, taken] = [0, true];
      for (const [i, part] of parts.entries()) {
        const inputs = lossInputs(process, part.batch);
        const isLast = i === parts.length - 1;
        const ran = isLast
          ? program.runPasses([...computes, 'update', ...packsChanges], {
              ...inputs,
              step_settings,
            })
          : program.runPasses(computes, inputs);
        for (const [name, { data: values }] of await ran) {
          if (name === 'square_sums') grad_norm = rootOfSum(values);
          else if (name === 'gradient_scale') taken = values[1] === 1;
          else {
            const term = name.slice(LOSS.length);
            losses[term] ??= new Float32Array(count);
            losses[term].set(values.subarray(0, part.count), part.first);
          }
        }
      }
      return { losses, grad_norm: grad_norm / (settings.loss_scale ?? 1), taken };
    },
    async read(which) {
      const found = new Map<string, Tensor>();
      for (const [prefix, listed] of placesOf(which)) {
        const names = listed.map(({ name }) => `${prefix}${name}`);
        await state.readAll(names, (name, tensor) => found.set(name.slice(prefix.length), tensor));
      }
      return new Map(parameters.flatMap(({ name }) => (found.has(name) ? [[name, found.get(name)!]] : [])));
    },
    async write(which, tensors) {
      const prefix = prefixOf(which);
      const written = which.kind === 'parameters' ? parameters : trained;
      const missing = written.filter(({ name }) => !tensors.has(name));
      if (missing.length > 0) {
        throw new RuntimeError(
          'input',
          `${prefix}${missing[0]!.name} is missing, with ${missing.length - 1} others`,
        );
      }
      for (const { name } of written) await state.write(`${prefix}${name}`, tensors.get(name)!);
      if (which.kind === 'parameters') await pack();
    },
    async findBadKernel(batch, settings) {
      for (const part of partsOf(batch, settings)) {
        const found = await findBadKernel(program, lossInputs(process, part.batch), isGradient);
        if (found !== null) return found.told;
      }
      return null;
    },
    close: async () => program.close(),
  };
}

function prefixOf(which: TrainedTensors): string {
  return which.kind === 'ema' ? `ema.${which.index}.` : `${which.kind}.`;
}

/** Sums of squares, added in float64. */
function rootOfSum(sums: Float32Array): number {
  return Math.sqrt(sums.reduce((sum, value) => sum + value, 0));
}
