// The runs that are killed: what each starts from, and what its files must be in the end.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { prepare } from '../faults/runs.ts';
import { MAIN } from '../watched.ts';

export interface KilledRun {
  readonly name: string;
  /** The words behind `unetc`, for a process in the folder. */
  readonly words: readonly string[];
  /** Words that are run once, in every folder that the run starts from. */
  readonly before: readonly (readonly string[])[];
  /** How many of all kills it gets, beside the others. */
  readonly share: number;
  /** Whether a run goes on with what a killed one has left, and clears it away. */
  readonly resumes: boolean;
  /** What two files that were written to the end have in common: their bytes, or less where times are measured. */
  same(file: string, a: Uint8Array, b: Uint8Array): boolean;
  /** Whether a file says how far a run is that has not ended: it has its last bytes at the end, or is gone then. */
  grows?(file: string): boolean;
}

const SAMPLE =
  'sample g.json --weights hash:1 --size 4x4 --seeds 0-3 --batch 2 --steps 8 --checkpoint-every 2 -o out --quiet';
const ENCODE = 'encode g.json --weights hash:1 --images p.png --steps 6 -o z.safetensors --quiet';
const EVALUATE =
  'evaluate g.json --weights hash:1 --data d.safetensors --size 4x4 --steps 12 --batch 2 --reference -o bounds --quiet';

const TRAIN =
  'train g.json --data d.safetensors --size 4x4 --batch 2 --steps 8 --save-interval 3 --log-interval 2 --keep all ' +
  '--sample-interval 0 -o run --quiet';
/** Of the smallest graph: a picture is 50 steps of DDIM. */
const PICTURED = TRAIN.replace('g.json', 'e.json')
  .replace('--sample-interval 0', '--sample-interval 4')
  .replace('--keep all', '--keep 2');

const bytes = (_: string, a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const words = (text: string): readonly string[] => text.split(' ');

export const KILLED_RUNS: readonly KilledRun[] = [
  { name: 'sample', words: words(`${SAMPLE} --reference`), before: [], share: 8, resumes: true, same: bytes },
  {
    name: 'sample in shards',
    words: words(`${SAMPLE} --reference --shard 1/2 --format npz`),
    before: [],
    share: 3,
    resumes: true,
    same: bytes,
  },
  { name: 'sample on the GPU', words: words(SAMPLE), before: [], share: 3, resumes: true, same: bytes },
  {
    name: 'encode',
    words: words(`${ENCODE} --reference`),
    before: [],
    share: 3,
    resumes: false,
    same: bytes,
  },
  { name: 'evaluate', words: words(EVALUATE), before: [], share: 4, resumes: true, same: bytes },
  {
    name: 'evaluate on the GPU',
    words: words(EVALUATE.replace(' --reference', '')),
    before: [],
    share: 2,
    resumes: true,
    same: bytes,
  },
  {
    name: 'train',
    words: words(`${TRAIN} --reference --schedule-sampler loss-second-moment`),
    before: [],
    share: 8,
    resumes: true,
    same: bytes,
    grows: isOfTraining,
  },
  {
    name: 'train on the GPU',
    words: words(TRAIN),
    before: [],
    share: 3,
    resumes: true,
    same: bytes,
    grows: isOfTraining,
  },
  {
    name: 'train with pictures of samples',
    words: words(`${PICTURED} --reference`),
    before: [],
    share: 2,
    resumes: true,
    same: bytes,
    grows: (name) => isOfTraining(name) || /^run\/(model|opt|ema_[\d.]+_)000003/.test(name),
  },
  {
    name: 'merge',
    words: words('merge out -o all.npz'),
    before: [words(`${SAMPLE} --reference`)],
    share: 2,
    resumes: false,
    same: bytes,
  },
  {
    name: 'tune',
    words: words('tune g.json --runs 1 -o t.json'),
    before: [],
    share: 1,
    resumes: false,
    same: sameTuning,
  },
];

/** The log, the curve, the manifest, and checkpoints that a signal asked for: those of steps that are no third of all. */
function isOfTraining(name: string): boolean {
  if (/^run\/(manifest\.json|progress\.csv|loss\.svg)$/.test(name)) return true;
  const step = Number(/^run\/(?:model|opt|ema_[\d.]+_)(\d+)\.safetensors$/.exec(name)?.[1]);
  return step % 3 !== 0 && step !== 8;
}

/** Two tunings of the same groups and candidates, whatever their times; other files have the same bytes. */
function sameTuning(name: string, a: Uint8Array, b: Uint8Array): boolean {
  if (name !== 't.json') return bytes(name, a, b);
  const named = (file: Uint8Array): string => {
    const { groups, ...rest } = JSON.parse(Buffer.from(file).toString());
    return JSON.stringify([
      rest,
      Object.entries(groups).map(([name, times]) => [name, Object.keys(times as object).sort()]),
    ]);
  };
  return named(a) === named(b);
}

/** A folder as a run finds it. */
export function layFolder(run: KilledRun, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  prepare(folder);
  for (const one of run.before) {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...one], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${one.join(' ')} has exit ${status}: ${stderr}`);
  }
}

/** The files of a folder with their bytes. */
export function filesOf(folder: string): ReadonlyMap<string, Uint8Array> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) =>
    fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.isFile(),
  );
  return new Map(
    files.sort().map((name) => [name, new Uint8Array(fs.readFileSync(path.join(folder, name)))]),
  );
}
