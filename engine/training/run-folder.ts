// The folder of a run: taken for one writer, held against the run that is in it, and its checkpoints, of which one is there
// when the manifest says so. What a killed run left beside them is removed.

import fs from 'node:fs';
import path from 'node:path';
import { listFolder, makeFolder, pathKind } from '../../runtime/host/node/files.ts';
import { guarded } from '../../runtime/host/node/system-faults.ts';
import { OptionError } from '../errors.ts';
import { placeInside } from '../jobs/inside.ts';
import { type Lock, refuseHeld, takeLock } from '../jobs/lock.ts';
import { differences } from '../jobs/manifest.ts';
import { removeStateFolders } from '../jobs/state.ts';
import { removeTemporaries } from '../jobs/temporaries.ts';
import { clearStage, isCheckpointName } from './checkpoint-files.ts';
import { LOSS_PLOT } from './loss-plot.ts';
import { PROGRESS_FILE } from './progress-file.ts';
import { isOfRun } from './read-checkpoint.ts';
import {
  RUN_MANIFEST,
  type RunManifest,
  type RunRecipe,
  readRunManifest,
  runOf,
  type SavedCheckpoint,
  writeRunManifest,
} from './run-manifest.ts';

const STATE = '.unetc/train';
const LOCK = `${STATE}/lock`;
export const SAMPLES = 'samples';

export interface FolderRequest {
  readonly out: string;
  readonly recipe: RunRecipe;
  /** Tells the files of this run from those of others: `runOf` its recipe. */
  readonly run: string;
  /** Goes on with the run that the folder holds; else begins it anew. */
  readonly resume: boolean;
  /** Checkpoints that stay; Infinity for all. */
  readonly keep: number;
}

export interface RunFolder {
  /** The oldest first; none where the run begins anew. */
  readonly checkpoints: readonly SavedCheckpoint[];
  /**
   * Changes the folder for the first time, once all that may be refused was not: removes what a killed run left, or the run
   * that is begun anew, and writes the manifest.
   */
  start(): void;
  /** Throws RuntimeError('output') where another process has taken the folder over. */
  check(): void;
  /** Notes a checkpoint that was written, and removes those that it makes too many. Gives those that stay. */
  record(checkpoint: SavedCheckpoint): readonly SavedCheckpoint[];
  close(): void;
}

/**
 * Refuses a folder that holds another run or another job, or that a process of this machine is writing to. Changes nothing.
 * @throws RuntimeError('output') that says what differs
 */
export function checkRunFolder(request: FolderRequest): void {
  refuseHeld(path.join(request.out, LOCK), request.out);
  checkRun(request);
}

function checkRun({ out, recipe, resume }: FolderRequest): void {
  for (const name of [RUN_MANIFEST, PROGRESS_FILE, LOSS_PLOT, SAMPLES, LOCK]) placeInside(out, name);
  const found = readRunManifest(out);
  if (found === null) checkForeign(out);
  if (found === null || !resume) return;
  const lines = differences(found.recipe, recipe);
  if (lines.length === 0) return;
  throw new OptionError(
    'output',
    (option) =>
      `${out}: the folder holds another run:\n  ${lines.join('\n  ')}\n` +
      `name another folder with ${option('output')} (there ${option('weights')} and ${option('optimizer')} go on from a ` +
      `checkpoint of this one), or begin anew in this one with ${option('resume', false)}`,
  );
}

/** Files without a manifest are somebody else's. */
function checkForeign(out: string): void {
  if (pathKind(out) !== 'folder') return;
  const ours = (name: string) => isCheckpointName(name) || name === PROGRESS_FILE;
  const [found] = listFolder({ kind: 'output', label: out }).filter(ours);
  if (found === undefined) return;
  throw new OptionError(
    'output',
    (option) =>
      `${out}: ${found} is there, and no ${RUN_MANIFEST} that says which run wrote it; name another folder with ${option('output')}`,
  );
}

/** Takes the folder, and changes nothing else in it. Rejects as `checkRunFolder`, and where another process is writing there. */
export async function openRunFolder(request: FolderRequest): Promise<RunFolder> {
  const { out, recipe, resume, keep } = request;
  const made = pathKind(out) === 'missing' ? [out] : [];
  const lock = await takeLock(path.join(out, LOCK), out);
  const giveBack = (lock: Lock) => {
    lock.release();
    removeStateFolders(path.join(out, STATE), made);
  };
  try {
    checkRun(request);
    const found = readRunManifest(out);
    let now: RunManifest = { recipe, checkpoints: resume ? (found?.checkpoints ?? []) : [] };
    return {
      checkpoints: now.checkpoints,
      start() {
        cleanUp(request, found);
        if (!resume) removeRun(out, found);
        makeFolder(out);
        writeRunManifest(out, now);
      },
      check: () => lock.check(),
      record(checkpoint) {
        const others = now.checkpoints.filter(({ step, interim }) => !interim && step < checkpoint.step);
        const all = [...others, checkpoint];
        const stays = new Set(all.slice(-Math.min(keep, all.length)));
        const gone = now.checkpoints.filter((one) => !stays.has(one) && one.step !== checkpoint.step);
        now = { recipe, checkpoints: [...stays] };
        writeRunManifest(out, now);
        removeFiles(out, gone);
        return now.checkpoints;
      },
      close: () => giveBack(lock),
    };
  } catch (error) {
    giveBack(lock);
    throw error;
  }
}

/** Removes what a killed run left: half-written files, and files of checkpoints that never came to be or are no more. */
function cleanUp({ out, run }: FolderRequest, found: RunManifest | null): void {
  const names = fs.readdirSync(out);
  const ours = (name: string) =>
    isCheckpointName(name) || [RUN_MANIFEST, PROGRESS_FILE, LOSS_PLOT].includes(name);
  removeTemporaries(out, ours);
  removeTemporaries(path.join(out, SAMPLES), (name) => /^\d{6,}\.png$/.test(name));
  clearStage(out);
  const known = new Set(found?.checkpoints.flatMap(({ files }) => files.map(({ file }) => file)));
  // a run that is begun anew may have another recipe than the one that was killed here
  const runs = new Set([run, ...(found === null ? [] : [runOf(found.recipe)])]);
  for (const name of names) {
    if (!isCheckpointName(name) || known.has(name) || !isOfRun(placeInside(out, name), runs)) continue;
    remove(out, name);
  }
}

/** Removes the run that stands here, so that none of its files is taken for one of the new run. */
function removeRun(out: string, found: RunManifest | null): void {
  removeFiles(out, found?.checkpoints ?? []);
  const pictures = path.join(out, SAMPLES);
  const drawn =
    pathKind(pictures) === 'folder'
      ? fs.readdirSync(pictures).filter((name) => /^\d{6,}\.png$/.test(name))
      : [];
  for (const name of [PROGRESS_FILE, LOSS_PLOT, ...drawn.map((name) => `${SAMPLES}/${name}`)])
    remove(out, name);
}

function removeFiles(out: string, checkpoints: readonly SavedCheckpoint[]): void {
  for (const { file } of checkpoints.flatMap(({ files }) => files)) remove(out, file);
}

function remove(out: string, name: string): void {
  const place = placeInside(out, name);
  guarded({ kind: 'output', label: place }, () => fs.rmSync(place, { force: true }));
}
