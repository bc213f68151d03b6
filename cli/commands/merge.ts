// `unetc merge`: the shards of a sampling job or of an evaluation, proven whole and put together.

import { UsageError } from '../../engine/errors.ts';
import type { MergeResult } from '../../engine/jobs/merge.ts';
import { CheckFailed, type Context, type Register } from '../context.ts';
import { addOptions, outputOption } from '../words/options.ts';

const NOTES = `
Every shard's manifest is read, and every file held against its hash. All must be of one job, and together have every
sample once. What is missing is printed as the shards, or the seeds, to run again, and then nothing is written (exit 1).
The .npz has arr_0 [N, height, width, channels] in bytes and, for models with classes, arr_1 with the labels, in the
order of the seeds. Of an evaluation OUT is a bounds.safetensors, or a folder for it and terms.csv.

Examples:
  unetc merge out/shards -o out/samples.npz
  unetc merge node1/part node2/part --seeds 0-49999 --json
  unetc merge node1/bounds node2/bounds -o bounds`;

interface MergeWords {
  readonly seeds?: string;
  readonly output?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('merge')
    .description(
      'proves that shards of samples are whole, and joins them in one .npz; those of an evaluation, too',
    )
    .argument('<folder...>', 'folders that sample or evaluate wrote (or a folder of such), or manifests')
    .addOption(outputOption('<OUT>', 'the file to write, or a folder for it (default: only check)'))
    .option('--seeds <LIST>', 'which samples there should be (default: those that the job has)');
  addOptions(command, ['json'])
    .addHelpText('after', NOTES)
    .action(async (folders: readonly string[], words: MergeWords) => {
      const { parseNumbers } = await import('../../engine/jobs/ranges.ts');
      const seeds = words.seeds === undefined ? null : parseNumbers(words.seeds, '--seeds');
      const { manifestsAt, mergeShards } = await import('../../engine/jobs/merge.ts');
      const { isBoundsManifest } = await import('../../engine/evaluation/manifest.ts');
      if (folders.flatMap(manifestsAt).some(isBoundsManifest))
        return mergeEvaluation(context, folders, words);
      const result = await mergeShards(folders, seeds, words.output ?? null, context.signal);
      if (words.json) context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      checkMerged(result);
      const { samples, manifests, out } = result;
      const shards = `${manifests.length} ${manifests.length === 1 ? 'manifest' : 'manifests'}`;
      if (!words.json)
        context.stdout(`${samples} samples in ${shards}, each once${out === null ? '' : `: ${out}`}\n`);
    });
};

async function mergeEvaluation(
  context: Context,
  folders: readonly string[],
  words: MergeWords,
): Promise<void> {
  if (words.seeds !== undefined) {
    throw new UsageError(
      '--seeds says which samples there should be, and these are evaluations; leave it out',
    );
  }
  const { mergeBounds } = await import('../../engine/evaluation/merge.ts');
  const result = mergeBounds(folders, words.output ?? null);
  if (words.json) context.stdout(`${JSON.stringify(result, null, 2)}\n`);
  const { samples, skipped, faults, missing, means, files } = result;
  const again = missing.map(({ shard, samples: some }) =>
    shard === null
      ? `images ${some} are missing; evaluate them`
      : `images ${some} are missing; run the same command again with --shard ${shard}`,
  );
  if (means === null) throw new CheckFailed([...faults, ...again].join('\n'));
  if (words.json) return;
  const left = skipped.length === 0 ? '' : `, ${skipped.length} that cannot be read`;
  const where = files.length === 0 ? '' : `: ${files.join(', ')}`;
  context.stdout(
    `${means.total_bpd.toFixed(4)} ± ${means.total_bpd_error.toFixed(4)} bits per dimension of ${samples} images, each once${left}${where}\n`,
  );
}

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
