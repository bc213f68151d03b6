// `unetc encode`: images to the noise that DDIM makes them from.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import type { EncodeWords } from '../words/encode.ts';
import { addOptions, CLASSIFIER_OPTIONS, heading, MODEL_OPTIONS, outputOption } from '../words/options.ts';
import type { SampleWords } from '../words/sample.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
DDIM without noise is an equation that can be solved in both directions. encode solves it from images to their latents;
sample --noise with the same steps and --sampler ddim leads them back. Each step is corrected until it undoes the step
back to 1e-4, or --refine times; --refine 0 is the plain reverse step, which is off by what one step changes.
Schedules that end in pure noise lose the image in their last steps: ddim50 stops short of it where 50 does not.

Example:
  unetc encode graphs/mnist.json --weights graphs/mnist.safetensors --images digits --class 0-9 --steps ddim50 -o z.safetensors
  unetc sample graphs/mnist.json --weights graphs/mnist.safetensors --noise z.safetensors --steps ddim50 -o back`;

export const register: Register = (program, context) => {
  const command = program
    .command('encode')
    .description('leads images back to the noise that DDIM makes them from')
    .argument('<model>', 'graph file, checkpoint of unetc train, or bundle folder')
    .optionsGroup(heading('input'))
    .requiredOption(
      '--images <PATH>',
      'a PNG, a folder of them, a .npz of bytes, or safetensors with samples in [-1, 1]',
    )
    .option('--class <LIST>', 'class labels, such as 3 or 0-9, cycled over the images')
    .option('--low-res <PATH>', 'low-resolution images for models that upsample')
    .addOption(
      outputOption(
        '<OUT>',
        'the safetensors file to write: noise, and y and low_res where there are any',
      ).makeOptionMandatory(),
    )
    .optionsGroup(heading('sampling'))
    .option('--steps <STEPS>', "fewer steps, such as 50, ddim50 or 10,10,20 (default: the graph's own)")
    .option('--refine <N>', 'corrections of each step at the most', '10')
    .option(
      '--no-clip',
      "do not clip the guess at the image at every step to the graph's clip_range (usually [-1, 1])",
    )
    .option('--guidance <SCALE>', 'classifier-free guidance, as the way back will have it')
    .option('--null-class <LABEL>', 'the class that the model was taught to mean none');
  addOptions(command, [...CLASSIFIER_OPTIONS, ...MODEL_OPTIONS, 'reference', 'progress', 'quiet', 'json'], {
    progress: { usual: 'auto' },
    batch: "images in a forward pass (default: up to 8; a bundle's own)",
  })
    .addHelpText('after', KEYS + NOTES)
    .action(
      async (
        path: string,
        words: EncodeWords & Pick<SampleWords, 'progress' | 'quiet'> & { readonly json?: boolean },
      ) => {
        const { runEncode } = await import('../../engine/jobs/encode.ts');
        const { openGuidedModel } = await import('../../engine/model/open-guided.ts');
        const { parseEncodeJob } = await import('../words/encode.ts');
        const { parseProgress } = await import('../words/sample.ts');
        const host = hostOf(context, parseProgress(words));
        const result = await runEncode(parseEncodeJob(path, words), host, openGuidedModel);
        if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
        const { images, steps, seconds, output } = result;
        context.stdout(`${output}: ${images} latents in ${steps} steps, ${seconds.toFixed(1)} s\n`);
      },
    );
};
