// `unetc run`: one forward pass, from a file of tensors to a file of tensors.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { type FileWords, fileJobOf, warnNotFinite } from '../words/file-run.ts';
import { addOptions, heading, MODEL_OPTIONS, outputOption } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
IN holds x [batch, channels, ...size] and timesteps [batch], for models with classes y [batch] (integers), for
super-resolution low_res [batch, channels, ...its size]; outputs of an earlier run are left alone. OUT gets output, and with --taps down.0 ..., middle, up.0 ....
A classifier's output is [batch, classes]; with --gradient IN has y [batch], and OUT gets gradient [as x], the derivative
of the sum of log softmax(output)[y] by x.
Images are float32, timesteps float or integer. A graph takes batch and size from x where the options do not say:
a size of x that it cannot take is a fault of the inputs (exit 5), one of --size a fault of the graph (exit 3).

Example:
  unetc run graphs/mnist.json --weights graphs/mnist.safetensors --inputs in.safetensors --output out.safetensors`;

export const register: Register = (program, context) => {
  const command = program
    .command('run')
    .description('runs one forward pass')
    .argument('<model>', 'graph file, checkpoint of unetc train, or bundle folder')
    .optionsGroup(heading('input'))
    .requiredOption(
      '--inputs <IN>',
      'safetensors with x, timesteps, and where the model takes them y, low_res: unetc inputs makes one',
    )
    .addOption(outputOption('<OUT>', 'the safetensors file to write').makeOptionMandatory());
  addOptions(command, [...MODEL_OPTIONS, 'taps', 'gradient', 'reference', 'json'], {
    batch: "images in a forward pass (default: as many as x has; a bundle's own)",
    size: "image size (default: that of x; a bundle's own)",
    gradient: "add a classifier's gradient: that of the log-probability of y by x",
  })
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: FileWords) => {
      const { runModel } = await import('../../engine/model/run-model.ts');
      const result = await runModel(path, fileJobOf(path, words), hostOf(context));
      const { output, tensors, adapter, milliseconds } = result;
      warnNotFinite(context, result);
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const shape = `output [${tensors.output?.join(', ')}]`;
      const gradient = tensors.gradient === undefined ? '' : ` and gradient [${tensors.gradient.join(', ')}]`;
      const taps = Object.keys(tensors).length - (gradient === '' ? 1 : 2);
      const vectors = `${gradient}${taps > 0 ? ` and ${taps} feature vectors` : ''}`;
      context.stdout(`${output}: ${shape}${vectors} in ${milliseconds.toFixed(1)} ms on ${adapter}\n`);
    });
};
