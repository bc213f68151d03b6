// The examples for clusters do what they say: the array's tasks cover the job, and a task whose time is over is queued
// again. Needs the build.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseJob } from '../../cli/words/sample.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = path.join(import.meta.dirname, '..', '..');
const at = temporaryFolder();

/** Runs a script as a task of an array of two. */
function task(id: number, script: string, steps: number, ...more: readonly string[]) {
  fs.writeFileSync(at('small.json'), SMALL_GRAPH);
  fs.writeFileSync(at('scontrol'), `#!/bin/sh\necho "$@" >>'${at('requeued')}'\n`, { mode: 0o755 });
  const env = {
    ...process.env,
    PATH: `${at()}:${process.env.PATH}`,
    GRAPH: at('small.json'),
    WEIGHTS: 'hash:1',
    SEEDS: '0-3',
    STEPS: `${steps}`,
    BATCH: '2',
    OUT: at('out'),
    SLURM_ARRAY_JOB_ID: '77',
    SLURM_ARRAY_TASK_ID: `${id}`,
    SLURM_ARRAY_TASK_MIN: '0',
    SLURM_ARRAY_TASK_MAX: '1',
    SLURM_ARRAY_TASK_COUNT: '2',
  };
  const words = [path.join('examples', 'slurm', script), ...more];
  const child = spawn('bash', words, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, exit, printed: () => text };
}

test('an array on Slurm covers the job, and merge proves it', async () => {
  for (const id of [0, 1]) {
    const run = task(id, 'sample.sbatch', 3, '--reference');
    expect(await run.exit, run.printed()).toBe(0);
    expect(run.printed()).toContain(`part ${id} of 2 (counted from 0), by SLURM_ARRAY_TASK_ID`);
  }
  const merged = task(0, 'merge.sbatch', 3);
  expect(await merged.exit, merged.printed()).toBe(0);
  expect(merged.printed()).toContain('4 samples in 2 manifests, each once');
});

test('a task whose time is over saves what it has and is queued again', async () => {
  const run = task(1, 'sample.sbatch', 1000, '--reference', '--progress', 'json');
  while (!run.printed().includes('"event":"step"') && run.child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  run.child.kill('SIGTERM');
  expect(await run.exit, run.printed()).toBe(143);
  expect(fs.readFileSync(at('requeued'), 'utf8')).toBe('requeue 77_1\n');
  expect(fs.existsSync(at('out/.unetc/1-of-2/chains.safetensors'))).toBe(true);
});

test('the Indexed Job on Kubernetes says what unetc takes, and of how many parts', () => {
  const text = fs.readFileSync(path.join(root, 'examples', 'kubernetes', 'sample-job.yaml'), 'utf8');
  const [, ...words] = [...text.matchAll(/^ {12}- ((?:--|\/models\/|sample$).*)$/gm)].map(
    (match) => match[1]!,
  );
  const options = words.slice(1).map((word) => /^--([a-z-]+)=(.*)$/.exec(word)!);
  const named = Object.fromEntries(
    options.map(([, name, value]) => [name!.replace(/-(.)/g, (_, letter) => letter.toUpperCase()), value!]),
  );
  const completions = /completions: (\d+)/.exec(text)![1]!;
  expect(text).toContain(`value: "${completions}"`);
  const env = { JOB_COMPLETION_INDEX: '3', JOB_COMPLETIONS: completions };
  const job = parseJob(words[0]!, named as unknown as Parameters<typeof parseJob>[1], env);
  expect(job).toMatchObject({ out: '/samples', checkpoint_every: 50, shard: { index: 3, count: 16 } });
  expect(job.seeds).toHaveLength(50000);
});
