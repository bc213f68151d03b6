// `unetc sample`: images from a graph or a bundle and its weights.

import type { Register } from '../context.ts';
import type { SampleWords } from '../sampling/job.ts';

const NOTES = `
Samples are keyed by their seeds: the same seed gives the same image at any --batch and in any order.
Labels of --class are cycled over the samples: --seeds 0-19 --class 0-9 makes two of each.
--steps shortens the graph's own process: 50 steps spread evenly, ddim50 with one whole stride, or 10,10,20 by
sections. Without --sampler, ddim50 and --eta mean ddim, all else ddpm.

Examples:
  unetc sample graphs/mnist.json --weights graphs/mnist.safetensors --seeds 0-9 --class 0-9 --steps ddim50 --out out
  unetc sample graphs/mnist-sr.json --weights graphs/mnist-sr.safetensors --low-res small --class 3 --out large`;

export const register: Register = (program, context) => {
  program
    .command('sample')
    .description('samples images: a PNG for each seed and a contact sheet')
    .argument('<model>', 'graph file or bundle folder')
    .requiredOption('--weights <W>', '.safetensors file, .pt file, or hash:SEED')
    .option('--rename-map <FILE>', 'read the weights by a map of unetc diff --rename-map')
    .requiredOption('--out <DIR>', 'folder for the images; made where it is missing')
    .option('--seeds <LIST>', 'which samples, such as 3, 0-15 or 1,5,9-12')
    .option('--noise <FILE>', 'safetensors with noise (and y, low_res) to start from, instead of seeds')
    .option('--class <LIST>', 'class labels, such as 3 or 0-9, cycled over the samples')
    .option('--low-res <PATH>', 'image to upsample: a PNG, a folder of them, or safetensors with low_res')
    .option('--sampler <NAME>', 'ddpm or ddim')
    .option('--eta <NUMBER>', "ddim's noise: 0 is deterministic (the default), 1 that of ddpm")
    .option('--steps <STEPS>', "fewer steps, such as 50, ddim50 or 10,10,20 (default: the graph's own)")
    .option('--batch <N>', 'images in a forward pass (default: up to 8)')
    .option('--size <HxW>', 'sample another size than the graph says')
    .option('--format <NAME>', 'png, or safetensors for samples.safetensors with float32 in [-1, 1]', 'png')
    .option('--precision <NAME>', 'f32 or f16')
    .option('--strict', 'leave out every algorithm that is less exact than the plain one')
    .option('--reference', 'compute in float64 without a GPU: slow, for checking')
    .option('--quiet', 'no progress')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', NOTES)
    .action(async (path: string, words: SampleWords & { readonly json?: boolean }) => {
      const { parseJob } = await import('../sampling/job.ts');
      const { runSampling } = await import('../sampling/run.ts');
      const { openModel } = await import('../open-model.ts');
      const result = await runSampling(parseJob(path, words), context, openModel);
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const { samples, seconds, steps_per_second, files, adapter } = result;
      context.stdout(
        `${samples} ${samples === 1 ? 'sample' : 'samples'} in ${seconds.toFixed(1)} s ` +
          `(${steps_per_second.toFixed(1)} steps/s on ${adapter}): ${files.at(-1)}\n`,
      );
    });
};
