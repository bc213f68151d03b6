// Opens training data for a model: finds out what it is, holds labels and sizes to the model, and says what its user should
// know. Pictures are listed now and opened when their turn comes.

import path from 'node:path';
import type { Graph } from '../../compiler/graph/graph.ts';
import { fault, type Origin } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { OptionError, UsageError } from '../errors.ts';
import type { ArraySet } from './array-set.ts';
import type { Wanted } from './batch.ts';
import { checkDataOptions, type DataOptions, type DataSettings } from './data-options.ts';
import { createDataset, type DataClass, type Dataset, type DatasetParts } from './dataset.ts';
import { requireDecoder } from './decode.ts';
import { findData } from './find-data.ts';
import { labelsOfFiles, listPictures, type PictureFiles } from './picture-files.ts';
import { createPool, type Pool } from './pool.ts';
import { arraySamples, pictureSamples, type Samples } from './samples.ts';

/** What a graph takes of a batch: images and labels, or a classifier's classes. */
export function wantedBy(graph: Graph): Wanted {
  return {
    channels: graph.in_channels,
    space: graph.image_size,
    classes: graph.pool === null ? graph.num_classes : graph.out_channels,
    low_res: graph.super_resolution?.low_res_size ?? null,
    range: graph.diffusion.clip_range,
  };
}

/**
 * Opens a folder of pictures or a file of arrays; `onPicture` is told what each picture that is read was. Rejects with
 * RuntimeError('input') where there is nothing usable or the data does not fit the model, and with UsageError for
 * options that are off.
 */
export async function openData(
  place: string,
  wanted: Wanted,
  options: DataOptions = {},
  onPicture?: DatasetParts['onPicture'],
): Promise<Dataset> {
  const settings = checkDataOptions(options, wanted);
  settings.signal?.throwIfAborted();
  const found = findData(place);
  const pool = createPool(settings.workers);
  try {
    const opened =
      found.kind === 'pictures'
        ? await openPictures(place, wanted, settings, pool)
        : openArrays(place, found.open(), wanted, settings, pool);
    return createDataset({ ...opened, ...closing(opened.samples, pool, settings.signal), onPicture });
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Closed once, by the caller or by the signal. */
function closing(samples: Samples, pool: Pool, signal: AbortSignal | undefined): Pick<DatasetParts, 'close'> {
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    signal?.removeEventListener('abort', close);
    closed ??= pool.close().then(() => samples.close());
    return closed;
  };
  signal?.addEventListener('abort', close, { once: true });
  return { close };
}

type Opened = Omit<DatasetParts, 'close' | 'onPicture'>;

async function openPictures(
  folder: string,
  wanted: Wanted,
  { labels: source, background, flip, crop, seed, signal }: DataSettings,
  pool: Pool,
): Promise<Opened> {
  const origin: Origin = { kind: 'input', label: folder };
  const { channels, space, classes } = wanted;
  if (space.length !== 2) {
    throw fault(
      origin,
      `these are pictures, and the graph has ${space.length} dimensions; give an .npz or a .safetensors`,
    );
  }
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw fault(
      origin,
      `pictures become 1, 3 or 4 channels, and the graph takes ${channels}; give an .npz or a .safetensors`,
    );
  }
  const listed = listPictures(folder);
  if (listed.files.length === 0) throw fault(origin, nothingThere(listed));
  await requireDecoder();
  const labels = classes === null ? null : labelsOfFiles(folder, listed.files, source);
  const samples = pictureSamples(
    listed.files.map((file) => path.join(folder, file)),
    wanted,
    background,
    pool,
  );
  if (labels !== null && labels.names.length > classes!) {
    const shown = labels.names.slice(0, 4).map((name) => JSON.stringify(name));
    throw tooManyClasses(folder, labels.names.length, classes!, shown, source);
  }
  await probe(folder, samples, wanted);
  return {
    ...{ path: folder, kind: 'pictures', samples, wanted, augment: { flip, crop }, seed, signal },
    threads: pool.threads,
    labels: labels?.ids ?? null,
    classes: labels === null ? null : countClasses(labels.ids, labels.names),
    skipped: listed.skipped,
    notes: [
      ...othersNote(listed),
      ...(labels === null ? [] : classNotes(labels.names, classes!)),
      ...folderNote(listed, labels === null ? null : source),
    ],
  };
}

function openArrays(
  place: string,
  set: ArraySet,
  wanted: Wanted,
  { labels: source, background, flip, crop, seed, signal }: DataSettings,
  pool: Pool,
): Opened {
  try {
    if (source === 'folders') {
      throw new UsageError(
        (option) => `${option('labels')} folders: ${place} is no folder of pictures; leave it out`,
      );
    }
    const samples = arraySamples(set, wanted, { background, crop }, pool);
    if (crop === 'random' && samples.hasSmall) {
      throw new UsageError(
        (option) =>
          `${option('crop')} random: the data has its own small images, which show the whole; leave it out`,
      );
    }
    const { labels, names } = set;
    if (wanted.classes !== null) {
      if (labels === null) {
        throw fault(
          set.images.origin,
          `it has no labels, and the graph has ${wanted.classes} classes; add them, or take num_classes out of the graph`,
        );
      }
      const wrong = labels.ids.findIndex((label) => label >= wanted.classes!);
      if (wrong >= 0) {
        throw fault(
          labels.origin,
          `label ${wrong} is ${labels.ids[wrong]}; labels are below the graph's ${wanted.classes} classes`,
        );
      }
    }
    return {
      ...{ path: place, kind: set.kind, samples, wanted, augment: { flip, crop }, seed, signal },
      threads: samples.rendered ? pool.threads : 0,
      labels: labels?.ids ?? null,
      classes: labels === null ? null : countClasses(labels.ids, names ?? []),
      skipped: [],
      notes:
        labels !== null && wanted.classes === null
          ? [...set.notes, 'its labels are not used: the graph has no classes']
          : set.notes,
    };
  } catch (error) {
    set.close();
    throw error;
  }
}

function countClasses(ids: Int32Array, names: readonly string[]): readonly DataClass[] {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([label, count]) => ({ label, name: names[label] ?? null, count }));
}

function tooManyClasses(
  folder: string,
  found: number,
  classes: number,
  shown: readonly string[],
  source: DataSettings['labels'],
): OptionError {
  const advice = source === 'names' ? 'folders' : 'names';
  return new OptionError(
    'input',
    (option) =>
      `${folder}: ${source === 'names' ? "the files' names begin with" : 'there are'} ${found} classes (${shown.join(', ')}, …), ` +
      `and the graph has ${classes}; set its num_classes to ${found}, or take labels by ${option('labels')} ${advice}`,
  );
}

function classNotes(names: readonly string[], classes: number): readonly string[] {
  const numbers = names.every((name) => /^\d+$/.test(name));
  const shuffled = numbers && names.some((name, id) => Number(name) !== id);
  return [
    ...(names.length < classes
      ? [`the data has ${names.length} classes, and the graph ${classes}: the others are never learned`]
      : []),
    ...(shuffled
      ? [`classes are numbered by their names as text, as the original does: "${names[1]}" is label 1`]
      : []),
  ];
}

/** Who has a folder for each class, and labels by names, has forgotten to say so. */
function folderNote({ files }: PictureFiles, source: DataSettings['labels'] | null): readonly string[] {
  const folders = new Set(files.map((file) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '')));
  const named = files.some((file) => file.slice(file.lastIndexOf('/') + 1).includes('_'));
  if (source !== 'names' || named || folders.size < 2 || folders.has('')) return [];
  return [
    `labels are the files' names up to the first "_", and none has one; there are ${folders.size} folders: take labels from ` +
      "them with --labels folders (labels: 'folders')",
  ];
}

function othersNote({ others }: PictureFiles): readonly string[] {
  if (others.size === 0) return [];
  const kinds = [...others].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, 8);
  const total = [...others.values()].reduce((sum, count) => sum + count, 0);
  const each = kinds.map(([extension, count]) => `${count} ${extension || 'without an extension'}`);
  const files = total === 1 ? '1 file that is' : `${total} files that are`;
  return [`left alone: ${files} no PNG, JPEG or GIF by name (${each.join(', ')})`];
}

function nothingThere({ others, skipped }: PictureFiles): string {
  const rest = [...others].map(([extension, count]) => `${count} ${extension || 'without an extension'}`);
  const found = rest.length === 0 ? 'no file' : `only other files (${rest.slice(0, 6).join(', ')})`;
  const bad = skipped.length === 0 ? '' : `; ${skipped[0]!.file}: ${skipped[0]!.reason}`;
  return `the folder has no PNG, JPEG or GIF, ${found}${bad}; name the folder of the pictures, or the file of arrays itself`;
}

/** Pictures that are tried at the start, evenly spread, until one can be read. */
const PROBED = 64;

/** Fails now where a run would fail at its first step: nothing that is tried can be read. */
async function probe(folder: string, samples: Samples, { channels, space }: Wanted): Promise<void> {
  const image = new Float32Array(channels * space[0]! * space[1]!);
  const tried = Math.min(PROBED, samples.count);
  const reasons: string[] = [];
  for (let i = 0; i < tried; i++) {
    const sample = Math.floor((i * samples.count) / tried);
    const reading = await samples.read(sample, { mirrored: false, crop: { kind: 'centre' } }, image, null);
    if (reading.kind === 'read') return;
    reasons.push(`${samples.name(sample)}: ${reading.reason}`);
  }
  const all =
    tried === samples.count
      ? `none of its ${tried} pictures`
      : `none of ${tried} pictures of ${samples.count}`;
  throw new RuntimeError('input', `${folder}: ${all} can be read:\n  ${reasons.slice(0, 5).join('\n  ')}`);
}
