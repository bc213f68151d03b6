// `unetc inputs`: a file of inputs that a model takes, to run it or to see what it takes.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import type { InputsWords } from '../words/inputs.ts';
import { addOptions, heading, outputOption } from '../words/options.ts';

const NOTES = `
x is the noise from which \`unetc sample\` draws the samples of the same seeds. timesteps are those of the graph's process as
the model is fed them; y and low_res are there where the model takes them. The same words give the same bytes.
--training makes what \`unetc gradients\` reads: x_start and noise instead of x, and timesteps that are whole.

Examples:
  unetc inputs graphs/mnist.json -o in.safetensors
  unetc inputs mine.json --seeds 0-3 --timesteps 0,500,999 --class 7 -o in.safetensors`;

interface Words extends InputsWords {
  readonly output: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('inputs')
    .description('makes a file of inputs that a model takes: noise, timesteps, labels')
    .argument('<model>', 'graph file or bundle folder')
    .optionsGroup(heading('input'))
    .option('--seeds <LIST>', 'of the noise, one an image, such as 0-3 (default: 0, 1, ...)')
    .option('--timesteps <LIST>', "whole steps of the graph's process, cycled (default: spread over it)")
    .option('--class <LIST>', 'class labels, such as 3 or 0-9, cycled (default: 0, 1, ...)')
    .option('--low-res <PATH>', 'low-resolution images, as sample takes them (default: noise)')
    .option('--training', 'the inputs of a training step: x_start, noise, whole timesteps')
    .addOption(outputOption('<OUT>', 'the safetensors file to write').makeOptionMandatory());
  addOptions(command, ['batch', 'size', 'gradient', 'json'], {
    batch: "images (default: as many as seeds, or 1; a bundle's own)",
    gradient: 'add the labels y that the gradient of a classifier is for',
  })
    .addHelpText('after', NOTES)
    .action(async (path: string, words: Words) => {
      const { parseInputsJob } = await import('../words/inputs.ts');
      const { writeInputs } = await import('../../engine/jobs/write-inputs.ts');
      const result = await writeInputs(path, parseInputsJob(words), words.output, hostOf(context));
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const tensors = Object.entries(result.tensors).map(([name, shape]) => `${name} [${shape.join(', ')}]`);
      context.stdout(`${result.output}: ${tensors.join(', ')}\n`);
    });
};
