// `unetc run`: one forward pass, from a file of tensors to a file of tensors.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { TUNING_OPTION } from '../tuning/option.ts';
import { parseSettings, type SettingWords } from '../words/settings.ts';
import { ALLOW_UNEXPECTED, KEYS, WEIGHTS } from '../words/weights.ts';

const NOTES = `
IN holds x [batch, channels, ...size] and timesteps [batch], for models with classes y [batch] (integers), for
super-resolution low_res [batch, channels, ...its size]; outputs of an earlier run are left alone. OUT gets output, and with --taps down.0 ..., middle, up.0 ....
A classifier's output is [batch, classes]; with --gradient IN has y [batch], and OUT gets gradient [as x], the derivative
of the sum of log softmax(output)[y] by x.
Images are float32, timesteps float or integer. A graph takes batch and size from x where the options do not say:
a size of x that it cannot take is a fault of the inputs (exit 5), one of --size a fault of the graph (exit 3).

Example:
  unetc run graphs/mnist.json --weights graphs/mnist.safetensors --inputs in.safetensors --output out.safetensors`;

interface Words extends SettingWords {
  readonly weights: string;
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly inputs: string;
  readonly output: string;
  readonly reference?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('run')
    .description('runs one forward pass')
    .argument('<model>', 'graph file or bundle folder')
    .requiredOption('--weights <W>', WEIGHTS)
    .option(...ALLOW_UNEXPECTED)
    .option('--rename-map <FILE>', 'read the weights by a map of unetc diff --rename-map')
    .requiredOption(
      '--inputs <IN>',
      'safetensors with x, timesteps, and where the model takes them y, low_res',
    )
    .requiredOption('--output <OUT>', 'the safetensors file to write')
    .option('--taps', 'add the feature vectors: down.i, middle, up.i')
    .option('--gradient', "add a classifier's gradient: that of the log-probability of y by x")
    .option('--batch <N>', "images in a forward pass (default: as many as x has; a bundle's own)")
    .option('--size <HxW>', "image size (default: that of x; a bundle's own)")
    .option('--precision <NAME>', 'f32 or f16')
    .option('--target <NAME>', 'what to compile for (default: auto, what suits the adapter)')
    .option('--memory <LIMIT>', 'the most that weights and activations may take, such as 600MB')
    .option('--strict', 'leave out every algorithm that is less exact than the plain one')
    .option(...TUNING_OPTION)
    .option('--reference', 'compute in float64 without a GPU: slow, for checking')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: Words) => {
      const { runModel } = await import('../../engine/model/run-model.ts');
      const { weights, allowUnexpected, renameMap, inputs, output: file, reference } = words;
      const settings = parseSettings(words);
      const job = { settings, weights, allowUnexpected, renameMap, inputs, output: file, reference };
      const result = await runModel(path, job, hostOf(context));
      const { output, tensors, adapter, milliseconds, not_finite } = result;
      for (const [name, count] of Object.entries(not_finite)) {
        context.stderr(
          `warning: ${name} has ${count} values that are not finite; check the weights and the inputs, and compare ` +
            'with --reference\n',
        );
      }
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const shape = `output [${tensors.output?.join(', ')}]`;
      const gradient = tensors.gradient === undefined ? '' : ` and gradient [${tensors.gradient.join(', ')}]`;
      const taps = Object.keys(tensors).length - (gradient === '' ? 1 : 2);
      const vectors = `${gradient}${taps > 0 ? ` and ${taps} feature vectors` : ''}`;
      context.stdout(`${output}: ${shape}${vectors} in ${milliseconds.toFixed(1)} ms on ${adapter}\n`);
    });
};
