// `unetc evaluate`: how many bits an image takes by a model, term by term.

import type { Evaluation } from '../../engine/evaluation/evaluate.ts';
import type { Register } from '../context.ts';
import { DATA_KINDS, readingOptions } from '../words/data.ts';
import type { EvaluateWords } from '../words/evaluate.ts';
import { weightsOf } from '../words/model.ts';
import { addOptions, heading, MODEL_OPTIONS, outputOption } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
The bound is the sum over all steps of the (respaced) process, and what is left of the image in pure noise; in bits per
element, lower is better. Noise is keyed by --seed, the image's place in the data and the timestep: no number depends on
--batch, on the shard, or on whether a run was stopped. With --output what is computed is kept as it comes, and the same
command goes on where it was; another job in the folder is refused. It gets bounds.safetensors with every term, terms.csv
with the means at each step, and a manifest; unetc merge joins those of shards.
--json lists total_bpd and prior_bpd [N], vb, xstart_mse and mse [N][T], the noisiest step first.

Examples:
  unetc evaluate graphs/mnist.json --weights graphs/mnist.safetensors --data t10k-images-idx3-ubyte --limit 100 --steps 250
  unetc evaluate graph.json --weights model.safetensors --data photos --shard 0/4 -o bounds`;

export const register: Register = (program, context) => {
  const command = program
    .command('evaluate')
    .description('computes the variational bound of images: bits per dimension by a model')
    .argument('<model>', 'graph file, checkpoint of unetc train, or bundle folder')
    .optionsGroup(heading('input'))
    .requiredOption('--data <D>', 'images: a folder of pictures, or a file of arrays')
    .option('--limit <N>', 'only the first N images')
    .option('--noise <FILE>', 'safetensors with noise.I [N, ...] for each step I, instead of a seed')
    .option('--seed <S>', 'what the noise is drawn from (default: 0)')
    .optionsGroup(heading('sampling'))
    .option('--steps <STEPS>', "fewer steps, such as 50, ddim50 or 10,10,20 (default: the graph's own)")
    .option('--no-clip', "do not clip the guess at the image to the graph's clip_range (usually [-1, 1])")
    .addOption(outputOption('<DIR>', 'folder that keeps what is computed; made where it is missing'))
    .optionsGroup(heading('output'))
    .option(
      '--shard <i/n>',
      'only part i, from 0, of n; none for the whole job in an environment that has parts',
    )
    .option('--no-resume', 'begin anew instead of going on with what the folder holds');
  readingOptions(command);
  addOptions(command, [...MODEL_OPTIONS, 'reference', 'progress', 'quiet', 'json'], {
    progress: { usual: 'auto' },
    batch: "terms in a forward pass (default: up to 8; a bundle's own)",
  })
    .addHelpText('after', DATA_KINDS + KEYS + NOTES)
    .action(async (path: string, words: EvaluateWords) => {
      const { evaluateFile } = await import('../../engine/evaluation/evaluate-file.ts');
      const { parseEvaluation } = await import('../words/evaluate.ts');
      const { parseProgress } = await import('../words/sample.ts');
      const { jobHostOf } = await import('../sample-progress.ts');
      const job = parseEvaluation(path, words, process.env);
      const host = jobHostOf(context, parseProgress(words));
      const { renameMap } = words;
      const weights = weightsOf(path, words.weights);
      const result = await evaluateFile(path, { weights, renameMap }, job, host);
      if (words.json) return context.stdout(documentOf(result));
      context.stdout(summary(result));
    });
};

/** The result as one JSON document, a line an image in its lists. */
function documentOf({ bounds, images, skipped, means, ...head }: Evaluation): string {
  const steps = head.timesteps.length;
  const rows = (values: Float32Array): string => {
    const each = Array.from({ length: images.length }, (_, k) =>
      JSON.stringify(Array.from(values.subarray(k * steps, (k + 1) * steps))),
    );
    return `[\n    ${each.join(',\n    ')}\n  ]`;
  };
  const { timesteps, ...rest } = head;
  const fields = Object.entries({ ...rest, samples: images.length, means }).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  const lists = [
    `"images": ${JSON.stringify(images)}`,
    `"skipped": ${JSON.stringify(skipped)}`,
    `"timesteps": ${JSON.stringify(timesteps)}`,
    `"total_bpd": ${JSON.stringify(Array.from(bounds.total_bpd))}`,
    `"prior_bpd": ${JSON.stringify(Array.from(bounds.prior_bpd))}`,
    ...(['vb', 'xstart_mse', 'mse'] as const).map((key) => `"${key}": ${rows(bounds[key])}`),
  ];
  return `{\n  ${[...fields, ...lists].join(',\n  ')}\n}\n`;
}

function summary(result: Evaluation): string {
  const { images, resumed, skipped, means, files, timesteps, seconds, adapter, idle } = result;
  if (images.length === 0)
    return skipped.length === 0 ? 'this part has no images\n' : 'no image of this part can be read\n';
  const counted = `${images.length} ${images.length === 1 ? 'image' : 'images'}`;
  const pace =
    resumed === images.length
      ? ', which were there'
      : ` in ${seconds.toFixed(1)} s (${result.terms_per_second.toFixed(1)} terms/s on ${adapter}, idle ${(idle * 100).toFixed(1)}%)`;
  const error = images.length > 1 ? ` ± ${means.total_bpd_error.toFixed(4)}` : '';
  const lines = [
    `${means.total_bpd.toFixed(4)}${error} bits per dimension, the prior's ${means.prior_bpd.toPrecision(3)} among them`,
    `  ${counted} at ${timesteps.length} steps${pace}`,
    `  mean squared error of the image ${means.xstart_mse.toPrecision(4)}, of the noise ${means.mse.toPrecision(4)}`,
    ...(skipped.length === 0 ? [] : [`  left out, for they cannot be read: ${listed(skipped)}`]),
    ...(files.length === 0 ? [] : [`  ${files.join(', ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

const LISTED = 8;

function listed(images: Evaluation['skipped']): string {
  const names = images.slice(0, LISTED).map(({ name }) => name);
  return names.join(', ') + (images.length > LISTED ? ` and ${images.length - LISTED} more` : '');
}
