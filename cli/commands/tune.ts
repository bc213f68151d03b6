// `unetc tune`: the fastest way to compute each convolution on the adapter that is here, measured.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseCount } from '../parse.ts';
import { type ModelWords, parseModelOptions } from '../words/model.ts';
import { addOptions, heading, outputOption, WEIGHT_OPTIONS } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
The graph is compiled once for each rank of the candidates, and the passes of all of them run in turn, every dispatch
timed by the GPU's own clock; of each the least of --runs counts, so a machine that is not quiet wants more of them.
On processors candidates that the cost model expects to take twice the best are left out.

--batch 16 measures what computes most samples a second, for jobs that are in no hurry for their first: choices that
--tuning takes from the file, at every batch the same.

-o writes what was measured, by adapter and group; compile, run, sample, bench, profile and stats take it with --tuning.
Groups of other graphs that are in the file stay, and what changed in the choices is printed.

Example:
  unetc tune mine.json -o out/mine-tuning.json && unetc bench mine.json --tuning out/mine-tuning.json`;

interface Words extends ModelWords {
  readonly output?: string;
  readonly runs: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('tune')
    .description('measures the fastest way to compute each convolution')
    .argument('<graphs...>', 'graph files')
    .addOption(outputOption('<FILE>', 'the tuning file to write'))
    .optionsGroup(heading('run'))
    .option('--runs <N>', 'passes of each candidate, of which the least time counts', '7');
  addOptions(
    command,
    [...WEIGHT_OPTIONS, 'size', 'batch', 'precision', 'target', 'tuning', 'timeout', 'json'],
    {
      weights: { usual: 'hash:1' },
      size: 'another image size than the graphs say',
      batch: { about: 'samples computed at once, of which the time of one is kept', usual: '1' },
    },
  )
    .addHelpText('after', KEYS + NOTES)
    .action(async (graphs: readonly string[], words: Words) => {
      const { tune } = await import('../../engine/tuning/tune.ts');
      const { tuningTable } = await import('../tuning/table.ts');
      const runs = parseCount(words.runs, '--runs', 10_000);
      const job = { options: parseModelOptions(graphs[0]!, words), runs, output: words.output };
      const result = await tune(graphs, job, hostOf(context));
      context.stdout(words.json ? `${JSON.stringify(result, null, 2)}\n` : tuningTable(result));
    });
};
