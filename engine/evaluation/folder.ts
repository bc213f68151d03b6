// The folder of an evaluation: taken for one writer, held against what is in it, with the terms that are known of this job.

import fs from 'node:fs';
import path from 'node:path';
import { pathKind, writeFile } from '../../runtime/host/node/files.ts';
import { sha256Of } from '../digest.ts';
import { OptionError } from '../errors.ts';
import { placeInside } from '../jobs/inside.ts';
import { refuseHeld, takeLock } from '../jobs/lock.ts';
import {
  differences,
  type Identity,
  identitySchema,
  isIntact,
  listManifests,
  manifestName,
  nameOfShard,
} from '../jobs/manifest.ts';
import type { Shard } from '../jobs/shard.ts';
import { journalsIn, lockPath, removeStateFolders, statePath } from '../jobs/state.ts';
import { removeTemporaries } from '../jobs/temporaries.ts';
import { BOUNDS_NAME, readBounds, TERMS_NAME } from './bounds-file.ts';
import { type BoundsManifest, readBoundsManifest } from './manifest.ts';
import { openRecords, type Records } from './records.ts';
import { setRow, type Terms } from './terms.ts';

const IDENTITY = 'evaluation.json';
const RECORDS = 'terms.bin';

interface FolderJob {
  readonly out: string;
  readonly shard: Pick<Shard, 'index' | 'count'>;
  readonly resume: boolean;
}

export interface EvaluationFolder {
  readonly records: Records;
  /** Throws RuntimeError('output') where another process has taken the folder. */
  check(): void;
  /** Gives the folder back; `clear` takes away the records, for the results are in their files. */
  close(clear: boolean): void;
}

/**
 * Refuses a folder that holds another job, or that a process of this machine is writing to. Changes nothing.
 * @param identity all that is known of it; keys that are missing are not compared
 */
export function checkEvaluationFolder(job: FolderJob, identity: Identity): void {
  checkPlaces(job);
  refuseHeld(lockPath(statePath(job.out, job.shard)), job.out);
  checkJob(job, identity);
}

/**
 * Takes the folder, and puts the terms that are known of the job in `terms`, whose first row is the image at `first`.
 * @throws RuntimeError('output') as `checkEvaluationFolder`, and where another process is writing there
 */
export async function openEvaluationFolder(
  job: FolderJob,
  identity: Identity,
  first: number,
  terms: Terms,
): Promise<EvaluationFolder> {
  const { out, shard } = job;
  const state = statePath(out, shard);
  checkPlaces(job);
  const made = pathKind(out) === 'missing' ? [out] : [];
  const lock = await takeLock(lockPath(state), out);
  const giveBack = (): void => {
    lock.release();
    removeStateFolders(state, made);
  };
  try {
    checkJob(job, identity);
    removeTemporaries(out, (name) => namesOf(shard).includes(name));
    removeTemporaries(state, () => true);
    if (!job.resume) removeJob(job);
    takeEnded(job, first, terms);
    writeFile(path.join(state, IDENTITY), `${JSON.stringify(identity, null, 1)}\n`);
    const records = openRecords(path.join(state, RECORDS), sha256Of(JSON.stringify(identity)), terms);
    return {
      records,
      check: () => lock.check(),
      close(clear) {
        records.close();
        try {
          if (clear || fs.statSync(path.join(state, RECORDS)).size === 0) clearState(state);
        } finally {
          giveBack();
        }
      },
    };
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** Files that a part of a job leaves. */
export function namesOf(shard: FolderJob['shard']): readonly string[] {
  return [manifestName(shard), nameOfShard(BOUNDS_NAME, shard), nameOfShard(TERMS_NAME, shard)];
}

/** Refuses links, folders and pipes in the places of what every job has. */
function checkPlaces({ out, shard }: FolderJob): void {
  const state = path.relative(out, statePath(out, shard)).split(path.sep).join('/');
  const places = [...namesOf(shard), ...[IDENTITY, RECORDS, 'lock'].map((name) => `${state}/${name}`)];
  for (const name of places) {
    const kind = pathKind(placeInside(out, name));
    if (kind === 'file' || kind === 'missing') continue;
    const place = path.join(out, name);
    throw new OptionError('output', (option) => {
      return `${place}: there is a ${kind === 'folder' ? 'folder' : 'pipe or a device'} where a file is to be; remove it, or name another folder with ${option('output')}`;
    });
  }
}

function checkJob(job: FolderJob, identity: Identity): void {
  const { out, shard } = job;
  const own = [manifestName(shard), path.relative(out, path.join(statePath(out, shard), IDENTITY))];
  for (const { file, identity: found } of jobsIn(out)) {
    const isOwn = own.includes(file);
    // a job that is begun anew takes the place of its own files, and of no other part's
    if (isOwn && !job.resume) continue;
    const lines = [...differences(found.recipe, identity.recipe), ...differences(found.job, identity.job)];
    if (lines.length === 0) continue;
    throw new OptionError('output', (option) => {
      const anew = isOwn ? `, or begin anew in this one with ${option('resume', false)}` : '';
      return (
        `${out}: the folder holds another job (${file}):\n  ${lines.join('\n  ')}\n` +
        `name another folder with ${option('output')}${anew}`
      );
    });
  }
}

interface FoundJob {
  /** Below the folder. */
  readonly file: string;
  readonly identity: Identity;
}

/** Jobs that have ended in a folder, and those that were begun; one of samples is refused. */
function jobsIn(out: string): readonly FoundJob[] {
  for (const { file } of journalsIn(out)) {
    throw new OptionError(
      'output',
      (option) =>
        `${out}: the folder holds samples that were begun (${path.relative(out, file)}); name another folder with ${option('output')}`,
    );
  }
  const ended = listManifests(out, 'output').map((file) => ({
    file: path.relative(out, file),
    identity: readBoundsManifest(file, 'output'),
  }));
  const state = path.dirname(statePath(out, { index: 0, count: 1 }));
  const begun = pathKind(state) === 'folder' ? fs.readdirSync(state) : [];
  return [
    ...ended,
    ...begun.flatMap((name): FoundJob[] => {
      const file = path.join(state, name, IDENTITY);
      const text = pathKind(file) === 'file' ? fs.readFileSync(file, 'utf8') : 'null';
      const identity = identitySchema.safeParse(jsonOf(text)).data;
      return identity === undefined ? [] : [{ file: path.relative(out, file), identity }];
    }),
  ];
}

function ownManifest({ out, shard }: Pick<FolderJob, 'out' | 'shard'>): BoundsManifest | null {
  const file = path.join(out, manifestName(shard));
  return pathKind(file) === 'file' ? readBoundsManifest(file, 'output') : null;
}

/** Takes the terms of a job that has ended, where its files are as its manifest says. */
function takeEnded({ out, shard }: Pick<FolderJob, 'out' | 'shard'>, first: number, terms: Terms): void {
  const manifest = ownManifest({ out, shard });
  if (manifest === null || !manifest.files.every((file) => isIntact(out, file))) return;
  const file = placeInside(out, nameOfShard(BOUNDS_NAME, shard));
  if (pathKind(file) !== 'file') return;
  const bounds = readBounds(file, manifest.samples.length, terms.steps, 'output');
  for (const [k, { sample }] of manifest.samples.entries()) {
    const row = sample - first;
    if (row >= 0 && row < terms.images) setRow(terms, row, bounds, k);
  }
}

/** Removes what stands in the places of this job's files, and nothing else. */
function removeJob(job: FolderJob): void {
  ownManifest(job);
  for (const name of namesOf(job.shard)) fs.rmSync(placeInside(job.out, name), { force: true });
  clearState(statePath(job.out, job.shard));
}

function clearState(state: string): void {
  for (const name of [IDENTITY, RECORDS]) fs.rmSync(path.join(state, name), { force: true });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
