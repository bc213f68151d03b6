// Where samples go: a PNG each and a contact sheet, or one file for all, joined from a part each. Everything that is
// written of a sample is on disk when `add` returns.

import path from 'node:path';
import { checkWritable, checkWritableFolder, readFile, writeFile } from '../../runtime/host/node/files.ts';
import { decodePng, encodePng } from '../../runtime/host/node/png.ts';
import { contactSheet } from '../../runtime/image/contact-sheet.ts';
import { type Pixels, toPixels } from '../../runtime/image/pixels.ts';
import { shrink } from '../../runtime/image/shrink.ts';
import type { Sample } from '../../runtime/sampler/sample.ts';
import { sha256Of } from '../digest.ts';
import { placeInside } from './inside.ts';
import type { Format, SampleJob } from './job.ts';
import { type Entry, type FileHash, isIntact, nameOfShard } from './manifest.ts';
import { PARTS } from './state.ts';
import { joinParts } from './tensor-files.ts';
import { trajectoryPicture } from './trajectory.ts';

export const SHEET_NAME = 'contact-sheet.png';

/** Below the folder of samples: pictures of their ways. */
export const TRAJECTORIES = 'trajectory';

/** Samples on a contact sheet; a person looks at no more at once. */
export const SHEET_SAMPLES = 256;

/** Frames of a trajectory: steps enough to see an image come, few enough for a strip. */
export const FRAMES = { apng: 32, strip: 12, none: 0 } as const;

export interface SampleStore {
  /** Writes a finished sample. */
  add(sample: Sample): Entry;
  /** Whether what an entry says of a sample is on disk as it says. */
  has(entry: Entry): boolean;
  /** Writes what is made of all samples, which `entries` are in their order. */
  finish(
    entries: readonly Entry[],
    shape: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly FileHash[]>;
}

type StoreJob = Pick<SampleJob, 'out' | 'format' | 'shard' | 'trajectory' | 'downscale'>;

/** Whether a file's name is that of a contact sheet, of a shard's too. */
export function isSheet(name: string): boolean {
  return /^contact-sheet(-\d+-of-\d+)?\.png$/.test(name);
}

/** The file that holds all samples, where they are not pictures. */
export function tensorsName(format: Exclude<Format, 'png'>, shard: StoreJob['shard']): string {
  return nameOfShard(`samples.${format}`, shard);
}

/** Says early whether the output could be written. Writes nothing. */
export function checkOutput({ out, format, shard }: Pick<StoreJob, 'out' | 'format' | 'shard'>): void {
  if (format === 'png') checkWritableFolder(out);
  else checkWritable(path.join(out, tensorsName(format, shard)));
}

/** @param state the folder of the job's state, for parts */
export function openStore(job: StoreJob, state: string): SampleStore {
  const { out, format, shard } = job;
  return {
    add(sample) {
      const { request } = sample;
      const image = job.downscale === 1 ? sample.image : shrink(sample.image, job.downscale);
      const name = pictureName(request.seed);
      const main =
        format === 'png'
          ? save(out, name, encodePng(toPixels(image)))
          : save(out, partFile(out, state, request.seed), bytesOf(image.data));
      const trajectory = saveTrajectory(job, name, sample);
      return {
        seed: request.seed,
        ...(request.label === undefined ? {} : { label: request.label }),
        ...main,
        ...(trajectory === null ? {} : { trajectory }),
      };
    },
    has({ file, sha256, trajectory }) {
      if (file === undefined || sha256 === undefined) return false;
      return isIntact(out, { file, sha256 }) && (trajectory === undefined || isIntact(out, trajectory));
    },
    async finish(entries, shape, signal) {
      if (entries.length === 0) return [];
      if (format === 'png') return [finishSheet(out, nameOfShard(SHEET_NAME, shard), entries)];
      return [await joinParts(format, out, tensorsName(format, shard), entries, shape, signal)];
    },
  };
}

/** Whether a job may have written a file of this name into its folder, under any format and shard. */
export function isOurs(name: string): boolean {
  const shard = String.raw`(-\d+-of-\d+)?`;
  const names = [
    String.raw`(${TRAJECTORIES}/)?\d{6,}\.png`,
    String.raw`contact-sheet${shard}\.png`,
    String.raw`samples${shard}\.(npz|npy|safetensors)`,
    String.raw`manifest${shard}\.json`,
    String.raw`\.unetc/[\w-]+/${PARTS}/\d+\.f32`,
  ];
  return new RegExp(`^(${names.join('|')})$`).test(name);
}

/** The file name of a seed's picture: six digits or more, so that names sort as seeds do. */
export function pictureName(seed: number): string {
  return `${String(seed).padStart(6, '0')}.png`;
}

function partFile(out: string, state: string, seed: number): string {
  const file = path.join(path.relative(out, state), PARTS, `${seed}.f32`);
  return file.split(path.sep).join('/');
}

function save(out: string, file: string, bytes: Uint8Array): FileHash {
  writeFile(placeInside(out, file), bytes);
  return { file, sha256: sha256Of(bytes) };
}

function saveTrajectory({ out, trajectory }: StoreJob, name: string, sample: Sample): FileHash | null {
  if (trajectory === 'none') return null;
  const frames = [...sample.frames, sample.image].map(toPixels);
  return save(out, `${TRAJECTORIES}/${name}`, trajectoryPicture(trajectory, frames));
}

/** Read back from disk, so that a run that was stopped makes the same sheet as one that was not. */
function finishSheet(out: string, name: string, entries: readonly Entry[]): FileHash {
  const items = entries.slice(0, SHEET_SAMPLES).map(({ seed, label, file }) => {
    return { pixels: readPicture(placeInside(out, file!)), label: String(label ?? seed) };
  });
  return save(out, name, encodePng(contactSheet(items)));
}

export function readPicture(file: string): Pixels {
  const origin = { kind: 'output', label: file } as const;
  return decodePng(readFile(origin), origin);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
