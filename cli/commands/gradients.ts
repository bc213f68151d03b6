// `unetc gradients`: the losses and gradients of one training batch.

import type { DropoutDraw } from '../../runtime/training/dropout.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseSeed } from '../parse.ts';
import { type FileWords, fileJobOf, warnNotFinite } from '../words/file-run.ts';
import { addOptions, heading, MODEL_OPTIONS, outputOption } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
IN holds x_start [batch, channels, ...size] with values in [-1, 1], timesteps [batch] (whole numbers below the graph's
diffusion.steps), noise [as x_start], for models with classes y [batch], for super-resolution low_res.
OUT gets loss.loss [batch], where the loss has them loss.mse and loss.vb, and grad.NAME for every parameter: the gradient of
the mean of loss.loss over the batch. Which loss that is says diffusion.loss of the graph (docs/training.md).

Example:
  unetc gradients graph.json --weights model.safetensors --inputs batch.safetensors --output gradients.safetensors`;

interface Words extends FileWords {
  readonly dropoutSeed?: string;
}

function drawOf({ dropoutSeed }: Words): DropoutDraw | undefined {
  return dropoutSeed === undefined ? undefined : { seed: parseSeed(dropoutSeed, '--dropout-seed'), step: 0 };
}

export const register: Register = (program, context) => {
  const command = program
    .command('gradients')
    .description("computes one training batch's losses and the gradients of all parameters")
    .argument(
      '<model>',
      'graph file, checkpoint of unetc train, or bundle folder of unetc compile --gradients',
    )
    .optionsGroup(heading('input'))
    .requiredOption(
      '--inputs <IN>',
      'safetensors with x_start, timesteps, noise, and where the model takes them y, low_res',
    )
    .option(
      '--dropout-seed <S>',
      'drop what training would drop in step 0 under this seed (default: nothing is dropped)',
    )
    .addOption(outputOption('<OUT>', 'the safetensors file to write').makeOptionMandatory());
  addOptions(command, [...MODEL_OPTIONS, 'reference', 'json'], {
    batch: "images in the batch (default: as many as x_start has; a bundle's own)",
    size: "image size (default: that of x_start; a bundle's own)",
    precision: 'f32, or f16: activations and their gradients in float16',
  })
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: Words) => {
      const { computeGradients } = await import('../../engine/training/gradients.ts');
      const job = { ...fileJobOf(path, words), dropout: drawOf(words) };
      const result = await computeGradients(path, job, hostOf(context));
      warnNotFinite(context, result);
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const { output, losses, grad_norm, gradients, milliseconds, adapter } = result;
      const terms = Object.entries(losses).map(([name, value]) => `${name} ${value.toPrecision(6)}`);
      context.stdout(
        `${output}: ${terms.join(', ')}; gradients of ${gradients} parameters, norm ${grad_norm.toPrecision(6)}, ` +
          `in ${milliseconds.toFixed(1)} ms on ${adapter}\n`,
      );
    });
};
