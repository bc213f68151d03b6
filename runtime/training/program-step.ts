// A step of training by a bundle that has it whole: the pass `step`, or where parameters wait for all gradients `gradients`, for
// several microbatches `accumulate`, then `update`; and where weights wait to be read `pack`. The device keeps the parameters and
// all that belongs to them.

import { findBadKernel } from '../bad-kernel.ts';
import type { Dispatch, Manifest } from '../bundle.ts';
import { RuntimeError } from '../errors.ts';
import type { Program } from '../program.ts';
import { diffusionProcess } from '../sampler/process.ts';
import type { Tensor } from '../tensor.ts';
import { stepSettings } from './adamw.ts';
import { averagesIn } from './averages.ts';
import { drawsDropout } from './dropout.ts';
import { lossInputs, type TrainingBatch } from './loss-inputs.ts';
import { microbatches } from './microbatches.ts';
import { takeBack } from './taken-back.ts';
import type { StepSettings, TrainedTensors, TrainingStep } from './training-step.ts';

const LOSS = 'loss.';

/** A gradient of the step before that is not finite would stand beside those that a traced dispatch writes. */
const isGradient = (state: string) => state.startsWith('grad.');

/** What a step gives beside its losses. */
const UPDATE_OUTPUTS: ReadonlySet<string> = new Set(['square_sums', 'gradient_scale']);

/** The dispatches that change parameters, and those that say what their gradients are multiplied by: what a traced pass leaves out. */
function changes({ outputs }: Manifest): (dispatch: Dispatch) => boolean {
  const slots = new Set(outputs.flatMap(({ name, slot }) => (UPDATE_OUTPUTS.has(name) ? [slot] : [])));
  return ({ bindings }) => bindings.some((one) => one.kind === 'slot' && slots.has(one.slot));
}

/**
 * The step of a program that was compiled for training, of the parameters that its loss depends on; the first are those that the
 * program was made with. Closing it closes the program. Throws RuntimeError('input') for a bundle without such passes, and RuntimeError('gpu').
 */
export async function programStep(program: Program, adapter: string): Promise<TrainingStep> {
  const { manifest, state } = program;
  const has = (pass: string) => manifest.passes.some(({ name }) => name === pass);
  const accumulates = has('accumulate');
  // parameters that do not wait change while gradients are computed
  const waits = has('update');
  const computes = waits ? ['gradients', ...(accumulates ? ['accumulate'] : [])] : ['step'];
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
  /** Whether the last step was taken, and how many arenas it changed. Where it changed some and was not taken, nobody goes on from them. */
  let last = { taken: false, arenas: 0 };
  const checkWhole = () => {
    if (last.taken || last.arenas === 0) return;
    throw new RuntimeError(
      'gpu',
      'a step whose gradients are not finite changed some of the parameters; open the step again with those before it',
    );
  };
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
      checkWhole();
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
      if (!waits && settings.max_grad_norm !== undefined) {
        throw new RuntimeError(
          'input',
          'a largest norm of the gradients is asked for, and the step was compiled for none: parameters change before it is known',
        );
      }
      const losses: Record<string, Float32Array> = {};
      const data = stepSettings(settings);
      const step_settings = { shape: [data.length], data };
      let [grad_norm, taken] = [0, true];
      for (const [i, part] of parts.entries()) {
        const inputs = lossInputs(process, part.batch);
        const isLast = i === parts.length - 1;
        const ran = isLast
          ? program.runPasses([...computes, ...(waits ? ['update'] : []), ...packsChanges], {
              ...inputs,
              step_settings,
            })
          : program.runPasses(computes, inputs);
        for (const [name, { data: values }] of await ran) {
          if (name === 'square_sums') grad_norm = rootOfSum(values);
          else if (name === 'gradient_scale') {
            taken = values[1] === 1;
            last = { taken, arenas: values[2]! };
          } else {
            const term = name.slice(LOSS.length);
            losses[term] ??= new Float32Array(count);
            losses[term].set(values.subarray(0, part.count), part.first);
          }
        }
      }
      return { losses, grad_norm: grad_norm / (settings.loss_scale ?? 1), taken };
    },
    async read(which) {
      checkWhole();
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
      const data = stepSettings(settings);
      const inputs = waits ? {} : { step_settings: { shape: [data.length], data } };
      const tracing = { anew: isGradient, without: changes(manifest) };
      const changed = last.taken ? trained : inArenas(manifest, trained, last.arenas);
      const exact = changed.length === 0;
      const putBack = await takeBack(state, changed, settings);
      try {
        if (!exact) await pack();
        for (const part of partsOf(batch, settings)) {
          const given = { ...lossInputs(process, part.batch), ...inputs };
          const found = await findBadKernel(program, given, tracing);
          if (found !== null) return { kernel: found.told, exact };
        }
        return { kernel: null, exact };
      } finally {
        await putBack();
        if (!exact) await pack();
      }
    },
    close: async () => program.close(),
  };
}

function prefixOf(which: TrainedTensors): string {
  return which.kind === 'ema' ? `ema.${which.index}.` : `${which.kind}.`;
}

/** The parameters in the first so many arenas, which stand in the manifest in their order. */
function inArenas(
  { state }: Manifest,
  trained: TrainingStep['parameters'],
  count: number,
): TrainingStep['parameters'] {
  const byPlace = new Map(trained.map((one) => [`parameters.${one.name}`, one]));
  const ports = state.filter(({ name }) => byPlace.has(name));
  const arenas = [...new Set(ports.map(({ slot }) => slot))].slice(0, count);
  return ports.filter(({ slot }) => arenas.includes(slot)).map(({ name }) => byPlace.get(name)!);
}

/** Sums of squares, added in float64. */
function rootOfSum(sums: Float32Array): number {
  return Math.sqrt(sums.reduce((sum, value) => sum + value, 0));
}
