// `unetc sample`: images from a graph or a bundle and its weights.

import type { SampleResult } from '../../engine/jobs/run.ts';
import { SAMPLERS } from '../../runtime/sampler/samplers/index.ts';
import type { Register } from '../context.ts';
import { addOptions, CLASSIFIER_OPTIONS, heading, MODEL_OPTIONS, outputOption } from '../words/options.ts';
import type { SampleWords } from '../words/sample.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
Samples are keyed by their seeds: the same seed gives the same image at any --batch, in any order and any shard.
Labels of --class are cycled over the samples: --seeds 0-19 --class 0-9 makes two of each.
--steps shortens the graph's own process: 50 steps spread evenly, ddim50 with one whole stride, or 10,10,20 by
sections. Without --sampler, ddim50 and --eta mean ddim, all else ddpm.
A run that was stopped goes on where it was when the same command is given again; another job in the folder is refused.
Without --shard, a Slurm array, a Kubernetes Indexed Job (with JOB_COMPLETIONS) and RANK with WORLD_SIZE say the part.

Examples:
  unetc sample graphs/mnist.json --weights graphs/mnist.safetensors --seeds 0-9 --class 0-9 --steps ddim50 -o out
  unetc sample graphs/mnist-sr.json --weights graphs/mnist-sr.safetensors --low-res small --class 3 -o large
  unetc sample graphs/mnist.json --weights graphs/mnist.safetensors --seeds 0-999 --class 0-9 --shard 0/4 -o part
  unetc sample graphs/adm64.json --weights 64x64_diffusion.pt --classifier graphs/adm64-classifier.json \\
    --classifier-weights 64x64_classifier.pt --class 207 --steps 250 --seeds 0-3 -o dogs`;

const samplers = Object.entries(SAMPLERS).map(([name, { about }]) => `${name}, ${about}`);

export const register: Register = (program, context) => {
  const command = program
    .command('sample')
    .description('samples images: a PNG for each seed and a contact sheet')
    .argument('<model>', 'graph file, checkpoint of unetc train, or bundle folder')
    .optionsGroup(heading('input'))
    .option('--seeds <LIST>', 'which samples, such as 3, 0-15 or 1,5,9-12')
    .option('--noise <FILE>', 'safetensors with noise (and y, low_res) to start from, instead of seeds')
    .option('--class <LIST>', 'class labels, such as 3 or 0-9, cycled over the samples')
    .option(
      '--low-res <PATH>',
      'images to upsample: a PNG, a folder of them, the .npz of sample or merge with its labels, or safetensors with low_res',
    )
    .optionsGroup(heading('sampling'))
    .option('--sampler <NAME>', `one of: ${samplers.join('; ')}`)
    .option('--eta <NUMBER>', "ddim's noise: 0 is deterministic (the default), 1 that of ddpm")
    .option('--steps <STEPS>', "fewer steps, such as 50, ddim50 or 10,10,20 (default: the graph's own)")
    .option(
      '--no-clip',
      "do not clip the guess at the image at every step to the graph's clip_range (usually [-1, 1])",
    )
    .option('--guidance <SCALE>', 'classifier-free guidance: how far to go from the null class to the label')
    .option('--null-class <LABEL>', 'the class that the model was taught to mean none')
    .addOption(outputOption('<DIR>', 'folder for the images; made where it is missing').makeOptionMandatory())
    .optionsGroup(heading('output'))
    .option(
      '--shard <i/n>',
      'only part i, from 0, of n; none for the whole job in an environment that has parts',
    )
    .option('--format <NAME>', 'png; safetensors with float32 in [-1, 1]; npz or npy with bytes', 'png')
    .option('--trajectory [KIND]', 'a picture of how each sample came: apng, or strip')
    .option('--downscale <N>', 'write samples N times smaller, averaged: what a model that upsamples takes')
    .option('--no-resume', 'begin anew instead of going on with what the folder holds')
    .option(
      '--checkpoint-every <STEPS>',
      'save the chains under way (on SIGINT and SIGTERM they always are)',
    );
  addOptions(command, [...CLASSIFIER_OPTIONS, ...MODEL_OPTIONS, 'reference'], {
    batch: "images in a forward pass (default: up to 8; a bundle's own)",
  })
    .optionsGroup(heading('run'))
    .option('--debug-nan', 'where a value is not finite, find the first kernel that made one');
  addOptions(command, ['progress', 'quiet', 'json'], { progress: { usual: 'auto' } })
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: SampleWords & { readonly json?: boolean }) => {
      const { jobHostOf } = await import('../sample-progress.ts');
      const { parseJob, parseProgress } = await import('../words/sample.ts');
      const { runSampling } = await import('../../engine/jobs/run.ts');
      const { openGuidedModel } = await import('../../engine/model/open-guided.ts');
      const job = parseJob(path, words, process.env);
      const result = await runSampling(job, jobHostOf(context, parseProgress(words)), openGuidedModel);
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      context.stdout(`${summary(result)}: ${result.files.at(-1) ?? result.manifest}\n`);
    });
};

function summary({ samples, resumed, seconds, steps_per_second, idle, adapter }: SampleResult): string {
  const made = samples - resumed;
  const counted = `${made} ${made === 1 ? 'sample' : 'samples'}`;
  if (made === 0 && resumed > 0) return `all ${resumed} samples were there`;
  const before = resumed > 0 ? `, ${resumed} were there` : '';
  const pace = `${steps_per_second.toFixed(1)} steps/s on ${adapter}, idle ${(idle * 100).toFixed(1)}%`;
  return `${counted} in ${seconds.toFixed(1)} s (${pace})${before}`;
}
