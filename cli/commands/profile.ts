// `unetc profile`: where the time of a forward pass goes, dispatch by dispatch.

import { UsageError } from '../../engine/errors.ts';
import type { ProfileJob } from '../../engine/profile/measure.ts';
import type { Context, Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseAmount, parseCount } from '../parse.ts';
import { type ModelWords, parseModelOptions } from '../words/model.ts';
import { addOptions, heading, MODEL_OPTIONS } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
Times are the GPU's own (timestamp queries), each dispatch in a compute pass of its own; passes are also timed whole.
GFLOP/s and GB/s count what the dispatch has to compute and to move at the least, Winograd's algorithm by its own
operations. roof is the share of what the adapter could do for that arithmetic intensity, by its peaks: those given, or
the best of many moments of three probes and of the dispatches themselves, so that no row is beyond its roof.

expected is what the cost model expects of a GPU that it knows (--device, as of stats), so that a run says where it errs.

With --host no GPU is asked: the pass runs on Dawn's null backend, which records and copies as on a GPU and computes
nothing, so that what is left is the host's: once with layouts converted by the host, once by the adapter as on GPUs. That backend
has WebGPU's default limits; the targets generic and software keep within them.

Examples:
  unetc profile graphs/cifar10.json --top 20
  unetc profile graphs/cifar10.json --trace out/trace.json --svg out/roofline.svg
  unetc profile graphs/imagenet64.json --batch 64 --precision f16 --target generic --host`;

interface Words extends ModelWords {
  readonly runs: string;
  readonly top?: string;
  readonly host?: boolean;
  readonly device?: string;
  readonly wide?: boolean;
  readonly peakGflops?: string;
  readonly peakGbs?: string;
  readonly trace?: string;
  readonly svg?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('profile')
    .description('times every dispatch of a forward pass on the GPU')
    .argument('<model>', 'graph file or bundle folder')
    .optionsGroup(heading('run'))
    .option('--runs <N>', 'runs that the medians are of', '10')
    .option('--device <NAME>', "the GPU that times are expected of (default: the adapter's)")
    .option('--host', "the host's part of a pass alone, on a backend that computes nothing")
    .optionsGroup(heading('output'))
    .option('--top <N>', 'print only the longest dispatches')
    .option('--wide', 'whole lines of the schedule, beyond 80 columns')
    .option('--peak-gflops <N>', "the adapter's peak of 10^9 operations a second")
    .option('--peak-gbs <N>', "the adapter's peak of 10^9 bytes a second")
    .option('--trace <FILE>', 'write one run as a trace for ui.perfetto.dev')
    .option('--svg <FILE>', 'write a roofline plot');
  addOptions(
    command,
    [
      ...MODEL_OPTIONS,
      'gradients',
      'dropout',
      'train',
      'averages',
      'accumulate',
      'clipGradients',
      'freeze',
      'json',
    ],
    {
      weights: { usual: 'hash:1' },
      gradients: 'time the loss of a training batch and the gradients of all parameters instead',
      train: 'time a whole step of training instead: loss, gradients, AdamW, moving averages',
      batch: "images in a forward pass (default: 1; a bundle's own)",
    },
  )
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: Words) => {
      const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
      const { profileModel } = await import('../../engine/profile/measure.ts');
      const { profileTable } = await import('../profile/table.ts');
      const { traceOf } = await import('../profile/trace.ts');
      const { rooflinePlot } = await import('../profile/roofline.ts');

      const top = words.top === undefined ? Number.POSITIVE_INFINITY : parseCount(words.top, '--top', 1e6);
      const job = {
        options: parseModelOptions(path, words),
        runs: parseCount(words.runs, '--runs', 10_000),
        device: words.device,
        peaks: {
          ...(words.peakGflops && { gflops_per_s: parsePeak(words.peakGflops, '--peak-gflops') }),
          ...(words.peakGbs && { gb_per_s: parsePeak(words.peakGbs, '--peak-gbs') }),
        },
      };
      if (words.host) return printHostTime(path, job, words, context);
      for (const file of [words.trace, words.svg]) if (file !== undefined) checkWritable(file);

      const { profile, timeline } = await profileModel(path, job, hostOf(context));
      if (words.trace !== undefined) writeFile(words.trace, traceOf(profile, timeline));
      if (words.svg !== undefined) writeFile(words.svg, rooflinePlot(profile));
      if (words.json) return context.stdout(`${JSON.stringify(profile, null, 2)}\n`);
      context.stdout(profileTable(profile, { top, wide: words.wide ?? false }));
    });
};

/** `--host`: no adapter is asked for times. */
async function printHostTime(
  path: string,
  job: Pick<ProfileJob, 'options' | 'runs'>,
  words: Words,
  context: Context,
): Promise<void> {
  const given = [
    'top',
    'wide',
    'trace',
    'svg',
    'peakGflops',
    'peakGbs',
    'device',
    'train',
    'gradients',
  ] as const;
  const other = given.find((name) => words[name as keyof Words] !== undefined);
  if (other !== undefined) {
    const option = `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${option} says what is told of a GPU, and --host measures none: leave one out`);
  }
  const { measureHost } = await import('../../engine/profile/host-time.ts');
  const { hostTimeTable } = await import('../profile/host-table.ts');
  const time = await measureHost(path, job, hostOf(context));
  context.stdout(words.json ? `${JSON.stringify(time, null, 2)}\n` : hostTimeTable(time));
}

function parsePeak(text: string, option: string): number {
  const value = parseAmount(text, option);
  if (value === 0) throw new UsageError(`${option}: found '${text}', expected a number above 0`);
  return value;
}
