// `unetc tune`: the fastest way to compute each convolution on the adapter that is here, measured.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseCount } from '../parse.ts';
import { TUNING_OPTION } from '../tuning/option.ts';
import { parseSettings } from '../words/settings.ts';
import { WEIGHTS } from '../words/weights.ts';

const NOTES = `
The graph is compiled once for each rank of the candidates, and the passes of all of them run in turn, every dispatch
timed by the GPU's own clock; of each the least of --runs counts, so a machine that is not quiet wants more of them.
On processors candidates that the cost model expects to take twice the best are left out.

-o writes what was measured, by adapter and group; compile, run, sample, bench, profile and stats take it with --tuning.
Groups of other graphs that are in the file stay, and what changed in the choices is printed.

Example:
  unetc tune mine.json -o out/mine-tuning.json && unetc bench mine.json --tuning out/mine-tuning.json`;

interface Words {
  readonly output?: string;
  readonly weights: string;
  readonly size?: string;
  readonly target?: string;
  readonly precision?: string;
  readonly tuning?: string;
  readonly runs: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('tune')
    .description('measures the fastest way to compute each convolution')
    .argument('<graphs...>', 'graph files')
    .option('-o, --output <FILE>', 'the tuning file to write')
    .option('--weights <W>', WEIGHTS, 'hash:1')
    .option('--size <HxW>', 'another image size than the graphs say')
    .option('--precision <NAME>', 'f32 or f16')
    .option('--target <NAME>', 'what to compile for (default: auto, what suits the adapter)')
    .option(...TUNING_OPTION)
    .option('--runs <N>', 'passes of each candidate, of which the least time counts', '7')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', NOTES)
    .action(async (graphs: readonly string[], words: Words) => {
      const { tune } = await import('../../engine/tuning/tune.ts');
      const { tuningTable } = await import('../tuning/table.ts');
      const { output, weights } = words;
      const runs = parseCount(words.runs, '--runs', 10_000);
      const job = { settings: parseSettings(words), weights, runs, output };
      const result = await tune(graphs, job, hostOf(context));
      context.stdout(words.json ? `${JSON.stringify(result, null, 2)}\n` : tuningTable(result));
    });
};
