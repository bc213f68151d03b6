// A job's folder: taken for one writer, held against the jobs that are in it, and what of this job is done already.

import fs from 'node:fs';
import path from 'node:path';
import { pathKind } from '../../runtime/host/node/files.ts';
import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import { OptionError } from '../errors.ts';
import { placeInside } from './inside.ts';
import type { SampleJob } from './job.ts';
import { type Lock, refuseHeld, takeLock } from './lock.ts';
import {
  differences,
  type Entry,
  type Identity,
  isIntactLarge,
  listManifests,
  type Manifest,
  manifestName,
  nameOfShard,
  readManifest,
} from './manifest.ts';
import {
  type JobState,
  journalsIn,
  lockPath,
  openState,
  removeStateFolders,
  stateFiles,
  statePath,
} from './state.ts';
import { isOurs, pictureName, type SampleStore, SHEET_NAME, TRAJECTORIES } from './store.ts';
import { removeTemporaries } from './temporaries.ts';

export interface JobFolder {
  readonly state: JobState;
  /** What is done and intact, by seed. */
  readonly done: ReadonlyMap<number, Entry>;
  /** The manifest of this very shard, where the job was ended before and nothing is missing since. */
  readonly ended: Manifest | null;
  readonly lock: Lock;
  /** Gives the folder back; `clear` takes the state away, for what is left is in the manifest. */
  close(clear: boolean): void;
}

type FolderJob = Pick<SampleJob, 'out' | 'shard' | 'resume' | 'format' | 'trajectory'>;

/**
 * Refuses a folder that holds another job, or that a process of this machine is writing to. Changes nothing.
 * @param identity all that is known of it; keys that are missing are not compared
 * @throws RuntimeError('output') that says what differs
 */
export function checkFolder(job: FolderJob, identity: Identity): void {
  checkLinks(job);
  refuseHeld(lockPath(statePath(job.out, job.shard)), job.out);
  checkJobs(job, identity);
}

/** Refuses links in the places of what every job has. */
function checkLinks({ out, shard }: FolderJob): void {
  for (const name of stateFiles(shard)) placeInside(out, name);
  for (const name of [manifestName(shard), TRAJECTORIES]) placeInside(out, name);
}

function checkJobs(job: FolderJob, identity: Identity): void {
  const { out, shard } = job;
  const state = statePath(out, shard);
  for (const { file, identity: found } of jobsIn(out)) {
    // a job that is begun anew takes the place of its own files, and of no other shard's
    const own = file === path.join(out, manifestName(shard)) || file.startsWith(`${state}${path.sep}`);
    if (own && !job.resume) continue;
    const lines = [...differences(found.recipe, identity.recipe), ...differences(found.job, identity.job)];
    if (lines.length === 0) continue;
    throw new OptionError('output', (option) => {
      const anew = own ? `, or begin anew in this one with ${option('resume', false)}` : '';
      return (
        `${out}: the folder holds another job (${path.relative(out, file)}):\n  ${lines.join('\n  ')}\n` +
        `name another folder with ${option('output')}${anew}`
      );
    });
  }
}

/**
 * Takes the folder for this job and finds what is done. `seeds` are those of the shard.
 * @throws RuntimeError('output') as `checkFolder`, and where another process is writing there
 */
export async function openFolder(
  job: FolderJob,
  identity: Identity,
  seeds: readonly number[],
  storeIn: (state: string) => SampleStore,
  takeTurn: TakeTurn,
): Promise<JobFolder & { readonly store: SampleStore }> {
  const { out, shard } = job;
  const place = statePath(out, shard);
  checkLinks(job);
  const made = pathKind(out) === 'missing' ? [out] : [];
  const lock = await takeLock(lockPath(place), out);
  try {
    checkJobs(job, identity);
    cleanUp(job, seeds);
    if (!job.resume) removeJob(job);
    const store = storeIn(place);
    const manifest = ownManifest(job);
    const isEnded = manifest !== null && (await isWhole(out, manifest, seeds, store, takeTurn));
    const ended = isEnded ? manifest : null;
    const state = openState(place, identity);
    const entries = new Map([
      ...(manifest?.samples ?? []).map((entry) => [entry.seed, entry] as const),
      ...state.entries,
    ]);
    const wanted = new Set(seeds);
    const done = new Map<number, Entry>();
    for (const [seed, entry] of entries) {
      await takeTurn();
      if (wanted.has(seed) && (isEnded || store.has(entry))) done.set(seed, entry);
    }
    return {
      state,
      done,
      ended,
      lock,
      store,
      close(clear) {
        // whatever cannot be taken away, the folder is given back
        try {
          if (clear || state.isEmpty()) state.clear();
        } finally {
          lock.release();
          removeStateFolders(place, made);
        }
      },
    };
  } catch (error) {
    lock.release();
    removeStateFolders(place, made);
    throw error;
  }
}

/** Jobs by their manifests and journals, with the files that say so. */
function jobsIn(out: string): readonly { readonly file: string; readonly identity: Identity }[] {
  const ended = listManifests(out, 'output').map((file) => ({
    file,
    identity: readManifest(file, 'output'),
  }));
  return [...ended, ...journalsIn(out)];
}

function ownManifest({ out, shard }: FolderJob): Manifest | null {
  const file = path.join(out, manifestName(shard));
  return pathKind(file) === 'file' ? readManifest(file, 'output') : null;
}

/** Whether every file of an ended job is as its manifest says. */
async function isWhole(
  out: string,
  { samples, files }: Manifest,
  seeds: readonly number[],
  store: SampleStore,
  takeTurn: TakeTurn,
): Promise<boolean> {
  if (samples.map(({ seed }) => seed).join() !== seeds.join()) return false;
  for (const file of files) if (!(await isIntactLarge(out, file, takeTurn))) return false;
  for (const entry of samples) {
    await takeTurn();
    if (entry.file !== undefined && !store.has(entry)) return false;
  }
  return true;
}

/** Removes what a killed run of this shard left half written. */
function cleanUp({ out, shard, format }: FolderJob, seeds: readonly number[]): void {
  const pictures = new Set(seeds.map(pictureName));
  const whole = [
    manifestName(shard),
    nameOfShard(SHEET_NAME, shard),
    nameOfShard(`samples.${format}`, shard),
  ];
  removeTemporaries(out, (name) => pictures.has(name) || whole.includes(name));
  removeTemporaries(path.join(out, TRAJECTORIES), (name) => pictures.has(name));
}

/** Removes the files of the job that stands here, so that none of them is taken for one of the new job. */
function removeJob(job: FolderJob): void {
  const { out, shard } = job;
  const place = statePath(out, shard);
  const manifest = ownManifest(job);
  const journal = journalsIn(out).find(({ file }) => file.startsWith(`${place}${path.sep}`));
  const state = journal && openState(place, journal.identity);
  const entries = [...(manifest?.samples ?? []), ...(state?.entries.values() ?? [])];
  const files = [
    ...(manifest?.files ?? []).map(({ file }) => file),
    ...entries.flatMap(({ file, trajectory }) => [file, trajectory?.file]),
    manifestName(shard),
  ];
  // what a manifest names beside the files of jobs is somebody else's
  const own = files
    .filter((file) => file !== undefined && isOurs(file))
    .map((file) => placeInside(out, file!));
  for (const file of own) fs.rmSync(file, { force: true });
  state?.clear();
}
