// `unetc train`: a graph, a folder of pictures, one command.

import { count } from '../../compiler/graph/words.ts';
import type { TrainResult } from '../../engine/training/train.ts';
import type { Register } from '../context.ts';
import { Interrupted } from '../exit.ts';
import { hostOf } from '../host.ts';
import { DATA_KINDS, dataOptions } from '../words/data.ts';
import { addOptions, heading, outputOption } from '../words/options.ts';
import type { TrainWords } from '../words/train.ts';

const NOTES = `
The folder gets modelNNNNNN.safetensors, ema_RATE_NNNNNN.safetensors and optNNNNNN.safetensors (NNNNNN steps are behind
them), progress.csv with the original's keys, loss.svg, and samples/NNNNNN.png from the first moving average.
A run that was stopped, or killed, goes on where its last checkpoint is when the same command is given again, to the
same bytes; SIGINT and SIGTERM save first. --steps may be raised: an ended run goes on. What else decides the result may
not change in a folder; --weights and --optimizer go on from a checkpoint in another folder, also from the original's.
Checkpoints carry their graph: unetc sample model001000.safetensors --seeds 0-15 -o out needs no other file.

Examples:
  unetc train graphs/cifar10.json --data photos --labels folders --batch 32 --steps 100000 -o run
  unetc train graph.json --data digits.npz --steps 2000 --ema-rate 0.99,0.999 --sample-interval 500 -o run
  unetc train graph.json --data photos --weights model010000.pt --optimizer opt010000.pt --steps 20000 -o run`;

export const register: Register = (program, context) => {
  const command = program
    .command('train')
    .description('trains a model on data of your own; what is killed goes on to the same bytes')
    .argument('<graph>', 'graph file of either form, or a checkpoint that carries its graph')
    .optionsGroup(heading('input'))
    .option('--data <D>', 'a folder of pictures, or a file of arrays')
    .option(
      '--replay <FILE>',
      'safetensors with K.x_start, K.noise, K.timesteps (K.weights, K.y, K.low_res) of each step K, instead of data',
    )
    .option('--val-data <D>', 'images that are never trained with, as --data: their loss stands in the log')
    .addOption(outputOption('<DIR>', 'folder of the run; made where it is missing').makeOptionMandatory())
    .optionsGroup('Training:')
    .option(
      '--steps <STEPS>',
      'the step that the run ends before (default: --lr-anneal-steps, else until it is stopped)',
    )
    .option('--batch <N>', 'samples of a step (default: 16)')
    .option('--microbatch <N>', 'samples that are computed at once (default: the batch)')
    .option('--lr <X>', 'learning rate (default: 1e-4)')
    .option('--weight-decay <X>', "AdamW's decay of all parameters (default: 0)")
    .option('--max-grad-norm <X>', 'scale larger gradients down to this norm (default: none are)')
    .option('--ema-rate <LIST>', 'rates of moving averages, such as 0.999,0.9999 (default: 0.9999)')
    .option('--ema-warmup', 'moving averages that follow closely at first: min(rate, (1 + n) / (10 + n))')
    .option('--lr-anneal-steps <N>', 'the step at which the learning rate has fallen to 0')
    .option('--lr-schedule <NAME>', 'how it falls: linear (the default), cosine; constant')
    .option('--lr-warmup <N>', 'steps in which the learning rate rises to --lr, in a line (default: 0)')
    .option('--freeze <LIST>', 'parameters that stay: names, their beginnings, patterns: time_embed,*.norm.*')
    .option(
      '--schedule-sampler <NAME>',
      'how timesteps are drawn: uniform (the default) or loss-second-moment',
    )
    .option('--lg-loss-scale <X>', 'with --precision f16: the loss times 2^X at first (default: 20)')
    .option('--fp16-scale-growth <X>', 'what a step adds to X; one that overflows takes 1 (default: 1e-3)')
    .option('--seed <S>', 'what weights, order, noise, timesteps and dropout are drawn from (default: 0)')
    .optionsGroup(heading('output'))
    .option('--log-interval <N>', 'steps from row to row of progress.csv (default: 10)')
    .option(
      '--val-interval <N>',
      'steps from one loss of --val-data to the next (default: ten times --log-interval)',
    )
    .option('--val-limit <N>', 'how many of its images, from the first on (default: 256)')
    .option('--save-interval <N>', 'steps from checkpoint to checkpoint (default: 10000)')
    .option('--sample-interval <N>', 'steps from picture to picture, 0 for none (default: 10000)')
    .option('--keep <N>', 'checkpoints that stay, the newest; all (default: 5)')
    .option('--dry-run', 'say what memory and time the run would take, and end; nothing is written')
    .option('--no-resume', 'begin anew instead of going on with what the folder holds');
  dataOptions(command);
  addOptions(command, ['weights', 'allowUnexpected', 'renameMap'], {
    weights: 'what to begin with: .safetensors, .pt, hash:SEED (default: drawn, as unetc init does)',
  })
    .optionsGroup(heading('weights'))
    .option(
      '--optimizer <FILE>',
      "go on with an optimizer's state: optNNNNNN.safetensors, or the original's opt*.pt",
    );
  addOptions(
    command,
    ['size', 'precision', 'target', 'memory', 'tuning', 'timeout', 'reference', 'progress', 'quiet', 'json'],
    { progress: { usual: 'auto' }, precision: 'f32, or f16: activations and their gradients in float16' },
  )
    .addHelpText('after', DATA_KINDS + NOTES)
    .action(async (path: string, words: TrainWords) => {
      const { watchTraining } = await import('../train-progress.ts');
      const { parseTrainJob } = await import('../words/train.ts');
      const { parseProgress } = await import('../words/sample.ts');
      const { parseSize } = await import('../parse.ts');
      const { readGraphFile } = await import('../../engine/graph/graph-file.ts');
      const { graphSource } = await import('../../engine/model/model-source.ts');
      const { openTraining } = await import('../../engine/training/train.ts');
      const kind = parseProgress(words);
      const job = parseTrainJob(path, words);
      const size = words.size === undefined ? undefined : parseSize(words.size);
      const source = graphSource(readGraphFile(path), path, size);
      const host = hostOf(context, kind);
      if (words.dryRun) {
        const { planRun } = await import('../../engine/training/plan-run.ts');
        const { printPlan } = await import('../train-plan.ts');
        const plan = await planRun({ source, ...job }, host);
        for (const note of plan.notes) host.note(note);
        return context.stdout(words.json ? `${JSON.stringify(plan, null, 2)}\n` : printPlan(plan));
      }
      context.waitForEnd?.();
      const run = await openTraining({ source, ...job }, host);
      try {
        const progress = watchTraining(kind, run, context);
        try {
          for await (const report of run.reports()) progress.step(report);
        } catch (error) {
          const { files, position } = run.result();
          if (error instanceof Interrupted && files[0] !== undefined) {
            host.note(`${files[0]} is saved; the same command goes on from step ${position}`);
          }
          throw error;
        } finally {
          progress.end();
        }
        const result = run.result();
        if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
        context.stdout(`${summary(result)}\n`);
        if (result.skipped > 0) host.note(leftOut(result.skipped, path, words));
      } finally {
        await run.close();
      }
    });
};

/** How many files were left out, and the command that names each with its reason. */
function leftOut(skipped: number, graph: string, { data, labels }: TrainWords): string {
  const command = `unetc data ${data} --graph ${graph}${labels === 'folders' ? ' --labels folders' : ''}`;
  const [were, them] = skipped === 1 ? ['was', 'it'] : ['were', 'them'];
  return `${count(skipped, 'file')} of the data ${were} left out; ${command} names ${them}`;
}

function summary(result: TrainResult): string {
  const { out, from, position, seconds, steps_per_second, waited, adapter, loss, files } = result;
  const held = result.val_loss === null ? '' : `, of held-out images ${result.val_loss.toPrecision(4)}`;
  const newest = files[0] ?? `${out}`;
  if (position === from) return `${newest}: all ${position} steps were there`;
  const pace = `${steps_per_second.toPrecision(3)} steps/s on ${adapter}, ${(waited * 100).toFixed(1)}% waiting for data`;
  return `${newest}: ${count(position - from, 'step')} in ${seconds.toFixed(1)} s (${pace}), last loss ${loss?.toPrecision(4)}${held}`;
}
