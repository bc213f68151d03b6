// Reads data once through and tells what it is: kinds and sizes of pictures, classes, values, what cannot be read, how long
// an image takes; and draws the first images as the model will see them.

import { performance } from 'node:perf_hooks';
import { encodePng } from '../../runtime/host/node/png.ts';
import { contactSheet, type SheetItem } from '../../runtime/image/contact-sheet.ts';
import { toPixels } from '../../runtime/image/pixels.ts';
import { elements } from '../../runtime/tensor.ts';
import type { Host } from '../host.ts';
import type { Batch, Wanted } from './batch.ts';
import type { DataOptions } from './data-options.ts';
import type { DataClass, Dataset } from './dataset.ts';
import { openData } from './open-data.ts';
import type { Skipped } from './picture-files.ts';
import type { PictureFacts } from './render.ts';

export interface SurveyJob {
  readonly place: string;
  readonly options: DataOptions;
  /** Only so many samples are read; null: all. */
  readonly limit: number | null;
  /** Whether a contact sheet is drawn. */
  readonly preview: boolean;
}

/** What was found, in the words of `--json`. */
export interface Survey {
  readonly data: string;
  readonly kind: Dataset['kind'];
  /** Samples there are, those that were read, and those of them that can be used. */
  readonly count: number;
  readonly read: number;
  readonly usable: number;
  readonly skipped: { readonly count: number; readonly files: readonly Skipped[] };
  readonly model: Pick<Wanted, 'channels' | 'classes' | 'low_res'> & { readonly size: readonly number[] };
  readonly classes: readonly DataClass[] | null;
  readonly pictures: PictureSummary | null;
  /** Of all values as the model takes them. */
  readonly values: {
    readonly min: number;
    readonly max: number;
    readonly mean: number;
    readonly deviation: number;
  };
  readonly threads: number;
  readonly ms_per_image: number;
  readonly notes: readonly string[];
}

export interface PictureSummary {
  readonly kinds: readonly (Pick<PictureFacts, 'format' | 'colours' | 'bits'> & { readonly count: number })[];
  /** [width, height] by their number of pixels. */
  readonly smallest: readonly [number, number];
  readonly median: readonly [number, number];
  readonly largest: readonly [number, number];
  /** Pictures that let a background through. */
  readonly transparent: number;
  /** Pictures that are smaller than the model's images. */
  readonly enlarged: number;
  /** Coloured pictures, where the model takes grey. */
  readonly made_grey: number;
}

/** Images on a contact sheet. */
const SHOWN = 64;
const BATCH = 16;

/** Rejects as `openData` does. The sheet is a PNG file. */
export async function surveyData(
  { place, options, limit, preview }: SurveyJob,
  wanted: Wanted,
  host: Host,
): Promise<{ readonly survey: Survey; readonly sheet: Uint8Array | null }> {
  const facts = new Map<number, PictureFacts>();
  const onPicture = (sample: number, found: PictureFacts) => void facts.set(sample, found);
  const data = await openData(place, wanted, { signal: host.signal, ...options }, onPicture);
  try {
    const read = Math.min(limit ?? data.count, data.count);
    const progress = host.progress({ label: 'reading', unit: 'images', total: read });
    const sums = {
      count: 0,
      sum: 0,
      squares: 0,
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
    };
    const items: SheetItem[] = [];
    const drawn = options.flip || options.crop === 'random' || options.seed !== undefined;
    let usable = 0;
    let done = 0;
    const start = performance.now();
    try {
      for await (const batch of data.rows({ batch: BATCH, until: read })) {
        usable += batch.samples!.length;
        for (const value of batch.x_start.data) {
          sums.sum += value;
          sums.squares += value * value;
          if (value < sums.min) sums.min = value;
          if (value > sums.max) sums.max = value;
        }
        sums.count += batch.x_start.data.length;
        if (preview && !drawn && items.length < SHOWN) items.push(...itemsOf(batch, data));
        done = Math.min(read, done + BATCH);
        progress.update(done);
      }
    } finally {
      progress.finish();
    }
    const seconds = (performance.now() - start) / 1000;
    if (preview && drawn) items.push(...(await firstOfRun(data, Math.min(SHOWN, data.count))));
    const mean = sums.count === 0 ? 0 : sums.sum / sums.count;
    // pictures are told of as they are read, in any order
    const inOrder = [...facts].sort(([a], [b]) => a - b).map(([, found]) => found);
    const summary = inOrder.length === 0 ? null : summarize(inOrder, wanted);
    const survey: Survey = {
      ...{ data: place, kind: data.kind, count: data.count, read, usable, skipped: data.skipped() },
      model: {
        channels: wanted.channels,
        size: wanted.space,
        classes: wanted.classes,
        low_res: wanted.low_res,
      },
      classes: data.classes,
      pictures: summary,
      values: {
        min: sums.count === 0 ? 0 : sums.min,
        max: sums.count === 0 ? 0 : sums.max,
        mean,
        deviation: Math.sqrt(Math.max(0, sums.squares / Math.max(1, sums.count) - mean * mean)),
      },
      threads: data.threads,
      ms_per_image: read === 0 ? 0 : (seconds * 1000) / read,
      notes: [...data.notes, ...pictureNotes(summary, options), ...valueNotes(sums.min, data.kind)],
    };
    const sheet = items.length === 0 ? null : encodePng(contactSheet(items.slice(0, SHOWN)));
    return { survey, sheet };
  } finally {
    await data.close();
  }
}

async function firstOfRun(data: Dataset, count: number): Promise<readonly SheetItem[]> {
  const stream = data.steps({ batch: count });
  try {
    const { value } = await stream.next();
    return value === undefined ? [] : itemsOf(value, data);
  } finally {
    await stream.return();
  }
}

function itemsOf({ x_start, samples }: Batch, data: Dataset): readonly SheetItem[] {
  const [, ...shape] = x_start.shape;
  const length = elements(shape);
  return samples!.map((sample, i) => {
    const label = data.label(sample);
    const name = data.classes?.find((one) => one.label === label)?.name;
    const pixels = toPixels({ shape, data: x_start.data.subarray(i * length, (i + 1) * length) });
    return { pixels, ...(label === null ? {} : { label: name ?? String(label) }) };
  });
}

function summarize(facts: readonly PictureFacts[], { channels, space }: Wanted): PictureSummary {
  const kinds = new Map<
    string,
    { format: PictureFacts['format']; colours: PictureFacts['colours']; bits: number; count: number }
  >();
  for (const { format, colours, bits } of facts) {
    const key = `${format} ${colours} ${bits}`;
    const known = kinds.get(key) ?? { format, colours, bits, count: 0 };
    kinds.set(key, { ...known, count: known.count + 1 });
  }
  const bySize = facts.toSorted((a, b) => a.width * a.height - b.width * b.height);
  const size = ({ width, height }: PictureFacts) => [width, height] as const;
  const [height, width] = space;
  return {
    kinds: [...kinds.values()].sort((a, b) => b.count - a.count),
    smallest: size(bySize[0]!),
    median: size(bySize[Math.floor(bySize.length / 2)]!),
    largest: size(bySize.at(-1)!),
    transparent: facts.filter(({ transparent }) => transparent).length,
    enlarged: facts.filter((one) => one.width < width! || one.height < height!).length,
    made_grey:
      channels === 1
        ? facts.filter(({ colours }) => colours !== 'grey' && colours !== 'grey_alpha').length
        : 0,
  };
}

/** `1 picture is`, `3 pictures are`. */
function pictures(count: number, verb: 'is' | 'has'): string {
  const many = { is: 'are', has: 'have' }[verb];
  return count === 1 ? `1 picture ${verb}` : `${count} pictures ${many}`;
}

function pictureNotes(found: PictureSummary | null, { background }: DataOptions): readonly string[] {
  if (found === null) return [];
  const { transparent, enlarged, made_grey } = found;
  return [
    ...(transparent > 0 && background === undefined
      ? [
          `${pictures(transparent, 'is')} transparent in places, and alpha is dropped: give a background to put such ` +
            'pictures over',
        ]
      : []),
    ...(enlarged > 0 ? [`${pictures(enlarged, 'is')} smaller than the model's images, and made larger`] : []),
    ...(made_grey > 0
      ? [`${pictures(made_grey, 'has')} colours or a palette, and the model takes grey: they become grey`]
      : []),
  ];
}

function valueNotes(min: number, kind: Dataset['kind']): readonly string[] {
  if (kind === 'pictures' || !(min >= 0)) return [];
  return [
    'no value is below 0, and a model learns images in [-1, 1]: values from 0 to 1 become so by 2 x - 1',
  ];
}
