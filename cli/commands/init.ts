// `unetc init`: weights to begin training with.

import { LARGEST_SEED } from '../../runtime/sampler/noise.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseSeed } from '../parse.ts';
import { addOptions, outputOption } from '../words/options.ts';

const NOTES = `
Convolutions and linear layers are uniform within 1 / sqrt(fan_in), embeddings standard normal, norms 1 and 0, as PyTorch
initialises them; what the original of the family sets to zero is zero. The same graph and seed give the same bytes.

Example:
  unetc init graphs/mnist.json --seed 0 -o mnist-0.safetensors`;

interface Words {
  readonly output: string;
  readonly seed: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('init')
    .description('writes weights as PyTorch would initialise them, zeroed modules included')
    .argument('<graph>', 'graph file of any form')
    .option('--seed <S>', `a whole number up to ${LARGEST_SEED}`, '0')
    .addOption(outputOption('<FILE>', 'the safetensors file to write').makeOptionMandatory());
  addOptions(command, ['json'])
    .addHelpText('after', NOTES)
    .action(async (path: string, words: Words) => {
      const { initWeights } = await import('../../engine/training/init.ts');
      const result = await initWeights(path, words.output, parseSeed(words.seed), hostOf(context));
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const { output, name, tensors, params, zeros } = result;
      context.stdout(
        `${output}: ${name}, ${params} parameters in ${tensors} tensors, ${zeros} of them zero\n`,
      );
    });
};
