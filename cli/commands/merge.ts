// `unetc merge`: the shards of a sampling job, proven whole and put together.

import type { MergeResult } from '../../engine/jobs/merge.ts';
import { CheckFailed, type Register } from '../context.ts';
import { addOptions, outputOption } from '../words/options.ts';

const NOTES = `
Every shard's manifest is read, and every file held against its hash. All must be of one job, and together have every
sample once. What is missing is printed as the shards, or the seeds, to run again, and then nothing is written (exit 1).
The .npz has arr_0 [N, height, width, channels] in bytes and, for models with classes, arr_1 with the labels, in the
order of the seeds.

Examples:
  unetc merge out/shards -o out/samples.npz
  unetc merge node1/part node2/part --seeds 0-49999 --json`;

interface MergeWords {
  readonly seeds?: string;
  readonly output?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('merge')
    .description('proves that shards of samples are whole, and joins them in one .npz')
    .argument('<folder...>', 'folders that sample wrote (or a folder of such), or manifests')
    .addOption(outputOption('<FILE>', 'the .npz to write, or a folder for samples.npz (default: only check)'))
    .option('--seeds <LIST>', 'which samples there should be (default: those that the job has)');
  addOptions(command, ['json'])
    .addHelpText('after', NOTES)
    .action(async (folders: readonly string[], words: MergeWords) => {
      const { mergeShards } = await import('../../engine/jobs/merge.ts');
      const { parseNumbers } = await import('../../engine/jobs/ranges.ts');
      const seeds = words.seeds === undefined ? null : parseNumbers(words.seeds, '--seeds');
      const result = mergeShards(folders, seeds, words.output ?? null);
      if (words.json) context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      checkMerged(result);
      const { samples, manifests, out } = result;
      const shards = `${manifests.length} ${manifests.length === 1 ? 'manifest' : 'manifests'}`;
      if (!words.json)
        context.stdout(`${samples} samples in ${shards}, each once${out === null ? '' : `: ${out}`}\n`);
    });
};

/** Throws CheckFailed that lists every fault and what to run again. */
export function checkMerged({ faults, missing }: MergeResult): void {
  if (faults.length === 0 && missing.length === 0) return;
  const again = missing.map(({ shard, seeds }) =>
    shard === null
      ? `samples ${seeds} are missing; run them with --seeds ${seeds}`
      : `samples ${seeds} are missing; run the same command again with --shard ${shard}`,
  );
  throw new CheckFailed([...faults, ...again].join('\n'));
}
