// The examples for clusters do what they say: the array's tasks cover the job, a task whose time is over is queued again,
// and the pods' arguments run on what their image holds. Needs the build.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseJob } from '../../cli/words/sample.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { tinyGraph, writeTinyImages } from '../fixtures/tiny-training.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = path.join(import.meta.dirname, '..', '..');
const at = temporaryFolder();

/** Runs a script as a task of an array of two. */
function task(id: number, name: string, steps: number, ...more: readonly string[]) {
  fs.writeFileSync(at('small.json'), SMALL_GRAPH);
  fs.writeFileSync(at('scontrol'), `#!/bin/sh\necho "$@" >>'${at('requeued')}'\n`, { mode: 0o755 });
  return script(name, more, {
    GRAPH: at('small.json'),
    WEIGHTS: 'hash:1',
    SEEDS: '0-3',
    STEPS: `${steps}`,
    BATCH: '2',
    OUT: at('out'),
    CLASSES: '',
    SLURM_ARRAY_JOB_ID: '77',
    SLURM_ARRAY_TASK_ID: `${id}`,
    SLURM_ARRAY_TASK_MIN: '0',
    SLURM_ARRAY_TASK_MAX: '1',
    SLURM_ARRAY_TASK_COUNT: '2',
  });
}

/** Runs a script as Slurm does, from the top of the clone; a stand-in of scontrol lies in the test's folder. */
function script(name: string, more: readonly string[], given: Readonly<Record<string, string>>) {
  const env = { ...process.env, PATH: `${at()}:${process.env.PATH}`, ...given };
  const words = [path.join('examples', 'slurm', name), ...more];
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

/** Runs the script that trains as a job of its own, the scontrol of which is that of `task`. */
function trainingJob(steps: number) {
  fs.writeFileSync(at('g.json'), tinyGraph());
  writeTinyImages(at('d.safetensors'), 5);
  fs.writeFileSync(at('scontrol'), `#!/bin/sh\necho "$@" >>'${at('requeued')}'\n`, { mode: 0o755 });
  return script('train.sbatch', ['--reference', '--progress', 'json', '--sample-interval', '0'], {
    GRAPH: at('g.json'),
    DATA: at('d.safetensors'),
    STEPS: `${steps}`,
    BATCH: '2',
    OUT: at('run'),
    SLURM_JOB_ID: '78',
  });
}

test('a job that trains saves its step when its time is over, is queued again, and goes on', async () => {
  const run = trainingJob(100_000);
  while (!run.printed().includes('"event":"step"') && run.child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  run.child.kill('SIGTERM');
  expect(await run.exit, run.printed()).toBe(143);
  expect(fs.readFileSync(at('requeued'), 'utf8')).toBe('requeue 78\n');
  const [saved] = /(?<=model)\d{6}(?=\.safetensors)/.exec(fs.readdirSync(at('run')).join())!;
  const again = trainingJob(Number(saved) + 2);
  expect(await again.exit, again.printed()).toBe(0);
  expect(again.printed()).toContain(`"from":${Number(saved)}`);
});

test('as it stands the script that trains is the demo’s graph and data', () => {
  const text = fs.readFileSync(path.join(root, 'examples/slurm/train.sbatch'), 'utf8');
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const part of ['graphs/fashion.json', 'sh cli/setup/fashion-mnist.sh', 'train-images-idx3-ubyte.gz']) {
    expect(text).toContain(part);
    expect(scripts['demo:train']).toContain(part);
  }
});

test('as they stand the scripts run the digit model, whose weights are there, for as many parts as the header says', () => {
  const script = fs.readFileSync(path.join(root, 'examples/slurm/sample.sbatch'), 'utf8');
  const usual = (name: string) => new RegExp(`\\$\\{${name}:?-([^}]*)\\}`).exec(script)![1]!;
  for (const file of [usual('GRAPH'), usual('WEIGHTS')])
    expect(fs.existsSync(path.join(root, file)), file).toBe(true);
  const env = {
    SLURM_ARRAY_TASK_ID: '7',
    SLURM_ARRAY_TASK_MIN: '0',
    SLURM_ARRAY_TASK_MAX: '7',
    SLURM_ARRAY_TASK_COUNT: '8',
  };
  expect(script).toContain('#SBATCH --array=0-7\n');
  const words = {
    weights: usual('WEIGHTS'),
    seeds: usual('SEEDS'),
    class: usual('CLASSES'),
    steps: usual('STEPS'),
    out: usual('OUT'),
  };
  const job = parseJob(usual('GRAPH'), words as unknown as Parameters<typeof parseJob>[1], env);
  expect(job).toMatchObject({ shard: { index: 7, count: 8 } });
  expect(job.seeds).toHaveLength(10_000);
  const merge = fs.readFileSync(path.join(root, 'examples/slurm/merge.sbatch'), 'utf8');
  for (const name of ['SEEDS', 'OUT']) expect(merge).toContain(`\${${name}:-${usual(name)}}`);
});

const kubernetes = (file: string) => fs.readFileSync(path.join(root, 'examples', 'kubernetes', file), 'utf8');

/** The arguments of a job: a list of lines, or one in brackets. */
function argsOf(file: string): readonly string[] {
  const text = kubernetes(file);
  const flow = /^ +args: \[(.*)\]$/m.exec(text)?.[1];
  if (flow !== undefined) return flow.split(', ');
  return /^ +args:\n((?: {12}- .*\n)+)/m
    .exec(text)![1]!
    .trim()
    .split(/\n? *- /)
    .filter(Boolean);
}

/** Lines of a stage of the Dockerfile, continued ones joined; the last stage is what runs. */
function stages(): readonly (readonly string[])[] {
  const text = kubernetes('Dockerfile')
    .replace(/\\\n */g, '')
    .replace(/^#.*\n/gm, '');
  return text
    .split(/^(?=FROM )/m)
    .filter(Boolean)
    .map((stage) => stage.trim().split('\n'));
}

test('the Indexed Job on Kubernetes says what unetc takes, and of how many parts', () => {
  const [command, graph, ...rest] = argsOf('sample-job.yaml');
  expect(command).toBe('sample');
  const named = Object.fromEntries(
    rest.map((word) => {
      const [, name, value] = /^--([a-z-]+)=(.*)$/.exec(word)!;
      return [name!.replace(/-(.)/g, (_, letter) => letter.toUpperCase()), value!];
    }),
  );
  const text = kubernetes('sample-job.yaml');
  const completions = /completions: (\d+)/.exec(text)![1]!;
  expect(text).toContain(`value: "${completions}"`);
  const env = { JOB_COMPLETION_INDEX: '3', JOB_COMPLETIONS: completions };
  const job = parseJob(graph!, named as unknown as Parameters<typeof parseJob>[1], env);
  expect(named.output).toBe('/samples');
  expect(job).toMatchObject({ checkpoint_every: 5, shard: { index: 3, count: 8 } });
  expect(job.seeds).toHaveLength(10_000);
  // the documentation of Kubernetes has a default, which its schema lacks
  expect(text).toMatch(/type: DisruptionTarget\n +status: 'True'/);
  expect(argsOf('merge-job.yaml')).toContain(`--seeds=${named.seeds}`);
});

test('what the image copies is in the clone, and .dockerignore keeps none of it out', () => {
  const ignored = fs
    .readFileSync(path.join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => /^[^#]/.test(line));
  expect(ignored).toEqual(expect.arrayContaining(['.git', 'node_modules', 'dist', 'out']));
  const copied = stages()
    .flat()
    .flatMap((line) => (/^COPY (?!--from)(.*) \S+$/.exec(line)?.[1] ?? '').split(' ').filter(Boolean));
  expect(copied).toContain('graphs/mnist.safetensors');
  for (const file of copied) {
    expect(fs.existsSync(path.join(root, file)), file).toBe(true);
    expect(
      ignored.some((one) => file === one || file.startsWith(`${one}/`)),
      file,
    ).toBe(false);
  }
});

test('pods draw digits from what the image holds, and merge proves the job', () => {
  // the last stage by hand: its files, with the packages of this clone
  for (const line of stages().at(-1)!) {
    const [, words] = /^COPY (?:--from=build \/unetc\/)?(.*)$/.exec(line) ?? [];
    if (words === undefined) continue;
    const list = words.split(' ');
    const to = list.pop()!;
    const target = to.startsWith('/') ? at('image', to) : at('image', 'unetc', to);
    for (const file of list) {
      const folder = fs.statSync(path.join(root, file)).isDirectory();
      fs.cpSync(path.join(root, file), folder ? target : path.join(target, path.basename(file)), {
        recursive: true,
      });
    }
  }
  fs.symlinkSync(path.join(root, 'node_modules'), at('image', 'unetc', 'node_modules'));
  const entry = /^ENTRYPOINT \["node", "(.*)"\]$/m.exec(kubernetes('Dockerfile'))![1]!;
  const inside = (word: string) =>
    word
      .replace(/(^|=)\/(models|samples)/, (_, before, name) => `${before}${at('image', name)}`)
      .replace('0-9999', '0-3')
      .replace('--steps=15', '--steps=3');
  const pod = (file: string, env: Record<string, string>) => {
    const words = [at('image', entry), ...argsOf(file).map(inside)];
    return spawnSync(process.execPath, words, {
      cwd: at('image'),
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
  };
  for (const index of ['0', '1']) {
    const { status, stderr } = pod('sample-job.yaml', { JOB_COMPLETION_INDEX: index, JOB_COMPLETIONS: '2' });
    expect(status, stderr).toBe(0);
  }
  const { status, stdout, stderr } = pod('merge-job.yaml', {});
  expect(status, stderr).toBe(0);
  expect(stdout + stderr).toContain('4 samples in 2 manifests, each once');
  expect(fs.existsSync(at('image/samples/samples.npz'))).toBe(true);
}, 300_000);
