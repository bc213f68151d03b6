// Which part of a job this process does: what `--shard` says, or what a cluster's environment says.

import { UsageError } from '../../engine/errors.ts';
import { type Shard, WHOLE } from '../../engine/jobs/shard.ts';

const MOST_SHARDS = 1_000_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The shard that `--shard` names, or without it the first that is found of a Slurm array, a Kubernetes Indexed Job,
 * and RANK with WORLD_SIZE.
 * @throws UsageError where the words are off, or an environment does not say enough
 */
export function findShard(word: string | undefined, env: Environment): Shard {
  if (word !== undefined) return parseShard(word);
  return slurmArray(env) ?? kubernetesJob(env) ?? rank(env) ?? WHOLE;
}

/** `none`, or `i/n`. Shards are counted from 0; n/n is 0/n, so that counting from 1 names the same n parts. */
function parseShard(word: string): Shard {
  if (word === 'none') return WHOLE;
  const found = /^(\d+)\/(\d+)$/.exec(word);
  const [index, count] = [Number(found?.[1]), Number(found?.[2])];
  if (found === null || count < 1 || count > MOST_SHARDS || index > count) {
    throw new UsageError(
      `--shard: found '${word}'; write i/n, such as 0/4 to 3/4 for the parts of four, or none for the whole job`,
    );
  }
  return { index: index % count, count, from: '--shard' };
}

function slurmArray(env: Environment): Shard | null {
  if (env.SLURM_ARRAY_TASK_ID === undefined) return null;
  const number = reader(env);
  const id = number('SLURM_ARRAY_TASK_ID');
  const first = number('SLURM_ARRAY_TASK_MIN');
  const last = number('SLURM_ARRAY_TASK_MAX');
  const step = env.SLURM_ARRAY_TASK_STEP === undefined ? 1 : number('SLURM_ARRAY_TASK_STEP');
  const count = (last - first) / step + 1;
  const stated = env.SLURM_ARRAY_TASK_COUNT === undefined ? count : number('SLURM_ARRAY_TASK_COUNT');
  const index = (id - first) / step;
  if (!Number.isInteger(index) || index < 0 || index >= count || count !== stated) {
    throw new UsageError(
      `SLURM_ARRAY_TASK_ID is ${id} in an array from ${first} to ${last} of ${stated} tasks, which has no even steps; ` +
        'say which part this task does with --shard i/n, or --shard none',
    );
  }
  return { index, count, from: 'SLURM_ARRAY_TASK_ID' };
}

function kubernetesJob(env: Environment): Shard | null {
  if (env.JOB_COMPLETION_INDEX === undefined) return null;
  if (env.JOB_COMPLETIONS === undefined) {
    throw new UsageError(
      'JOB_COMPLETION_INDEX is set, as Kubernetes does for Indexed Jobs, but not of how many: set JOB_COMPLETIONS to ' +
        "the job's completions, or say --shard i/n or --shard none",
    );
  }
  return counted('JOB_COMPLETION_INDEX', 'JOB_COMPLETIONS', env);
}

function rank(env: Environment): Shard | null {
  if (env.RANK === undefined || env.WORLD_SIZE === undefined) return null;
  return counted('RANK', 'WORLD_SIZE', env);
}

function counted(indexName: string, countName: string, env: Environment): Shard {
  const number = reader(env);
  const [index, count] = [number(indexName), number(countName)];
  if (count < 1 || count > MOST_SHARDS || index >= count) {
    throw new UsageError(
      `${indexName} is ${index} and ${countName} is ${count}; the first counts from 0 to one below the second. ` +
        'Correct them, or say --shard i/n or --shard none',
    );
  }
  return { index, count, from: `${indexName} and ${countName}` };
}

function reader(env: Environment): (name: string) => number {
  return (name) => {
    const text = env[name] ?? '';
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new UsageError(
      `${name}: found '${text}', expected a whole number; say which part this process does with --shard i/n, or none`,
    );
  };
}
