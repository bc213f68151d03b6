// Samples as batches: in the order of a run of training, which begins a fresh permutation with every epoch, or once
// through in the order of the data. A sample that cannot be read is named, and another one takes its place, which depends
// on nothing but the seed and the data.

import { RuntimeError } from '../../runtime/errors.ts';
import { areaMeans } from '../../runtime/image/shrink.ts';
import { elements } from '../../runtime/tensor.ts';
import type { Batch, BatchSource, BatchStream, StepRequest, Wanted } from './batch.ts';
import { type Augment, drawAugment, runOrder } from './draws.ts';
import type { Skipped } from './picture-files.ts';
import type { PictureFacts } from './render.ts';
import { checkRowsRequest, checkStepRequest, type RowsRequest } from './requests.ts';
import { type Look, type Samples, sampleLength } from './samples.ts';
import { createStream } from './stream.ts';

/** Batches beyond the one at work that are ready or under way. */
const AHEAD = 2;
/** Files that are listed one by one; the rest is only counted. */
const LISTED = 1000;

export interface DataClass {
  readonly label: number;
  /** What the data calls the class: the beginning of files' names, a folder's name, a line of a list. */
  readonly name: string | null;
  readonly count: number;
}

/** Training data, open. */
export interface Dataset extends BatchSource {
  readonly path: string;
  readonly kind: 'pictures' | 'npz' | 'npy' | 'idx' | 'cifar' | 'safetensors';
  /** Samples, those that turn out to be unreadable among them. */
  readonly count: number;
  /** Null where the data has no labels. */
  readonly classes: readonly DataClass[] | null;
  /** What its user should know. */
  readonly notes: readonly string[];
  /** What was left out until now: files that are no pictures show when they are first read. */
  skipped(): { readonly count: number; readonly files: readonly Skipped[] };
  /** Threads that decode pictures; 0 where the calling thread does. */
  readonly threads: number;
  /** What messages call a sample: its path, or the array with its index. */
  name(sample: number): string;
  /** Its class, or null where the data has no labels. */
  label(sample: number): number | null;
  /** Samples once through in the order of the data, without mirroring. What cannot be read is left out of its batch. */
  rows(request: RowsRequest): BatchStream;
  /** Ends all threads and closes all files. */
  close(): Promise<void>;
}

export interface DatasetParts extends Pick<Dataset, 'path' | 'kind' | 'classes' | 'notes' | 'threads'> {
  readonly samples: Samples;
  readonly labels: Int32Array | null;
  /** What was left out before anything was read. */
  readonly skipped: readonly Skipped[];
  readonly wanted: Wanted;
  readonly augment: Augment;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** Told what each picture was. */
  readonly onPicture: ((sample: number, facts: PictureFacts) => void) | undefined;
  close(): Promise<void>;
}

const CENTRE: Look = { mirrored: false, crop: { kind: 'centre' } };

export function createDataset(parts: DatasetParts): Dataset {
  const { samples, labels, wanted, augment, seed, onPicture } = parts;
  const { count } = samples;
  const bad = new Map<number, string>();
  const order = runOrder(seed, count);
  const length = sampleLength(wanted);
  const smallShape = wanted.low_res === null ? null : [wanted.channels, ...wanted.low_res];
  const smallLength = smallShape === null ? 0 : elements(smallShape);

  /** Whether the sample was read; where not, it is on the list now. */
  const read = async (
    sample: number,
    look: Look,
    image: Float32Array,
    small: Float32Array | null,
  ): Promise<boolean> => {
    if (bad.has(sample)) return false;
    const reading = await samples.read(sample, look, image, samples.hasSmall ? small : null);
    if (reading.kind === 'bad') {
      bad.set(sample, reading.reason);
      return false;
    }
    if (reading.facts !== null) onPicture?.(sample, reading.facts);
    if (small !== null && !samples.hasSmall) {
      const whole = { shape: [wanted.channels, ...wanted.space], data: image };
      small.set(areaMeans(whole, wanted.low_res!).data);
    }
    return true;
  };
  const batchOf = (indices: readonly number[], images: Float32Array, small: Float32Array | null): Batch => ({
    x_start: { shape: [indices.length, wanted.channels, ...wanted.space], data: images },
    ...(wanted.classes === null ? {} : { y: Int32Array.from(indices, (sample) => labels![sample]!) }),
    ...(small === null ? {} : { low_res: { shape: [indices.length, ...smallShape!], data: small } }),
    samples: indices,
  });
  const room = (size: number) => ({
    images: new Float32Array(size * length),
    small: smallShape === null ? null : new Float32Array(size * smallLength),
  });
  const part = (all: Float32Array | null, slot: number, each: number) =>
    all === null ? null : all.subarray(slot * each, (slot + 1) * each);

  const drawn = async (step: number, size: number): Promise<Batch> => {
    const { images, small } = room(size);
    const slots = Array.from({ length: size }, async (_, slot) => {
      const position = step * size + slot;
      const look = drawAugment(seed, position, augment);
      for (let further = 0; further < count; further++) {
        const sample = order.at(position, further);
        if (await read(sample, look, part(images, slot, length)!, part(small, slot, smallLength)))
          return sample;
      }
      throw new RuntimeError(
        'input',
        `${parts.path}: not one of ${count} files can be read, the first ${samples.name(0)}: ${bad.get(0)}`,
      );
    });
    return batchOf(await allOf(slots), images, small);
  };
  const once = async (begin: number, end: number): Promise<Batch> => {
    const { images, small } = room(end - begin);
    const there = await allOf(
      Array.from({ length: end - begin }, (_, slot) =>
        read(begin + slot, CENTRE, part(images, slot, length)!, part(small, slot, smallLength)),
      ),
    );
    const kept = there.flatMap((was, slot) => (was ? [slot] : []));
    // what was read moves up to where something is missing
    for (const [to, slot] of kept.entries()) {
      images.copyWithin(to * length, slot * length, (slot + 1) * length);
      small?.copyWithin(to * smallLength, slot * smallLength, (slot + 1) * smallLength);
    }
    return batchOf(
      kept.map((slot) => begin + slot),
      images.subarray(0, kept.length * length),
      small?.subarray(0, kept.length * smallLength) ?? null,
    );
  };

  const { path, kind, classes, notes, threads, close } = parts;
  return {
    ...{ path, kind, count, classes, notes, threads, close },
    skipped() {
      // in the order of the data: threads find them in any
      const found = [...bad].sort(([a], [b]) => a - b);
      const files = found.map(([sample, reason]) => ({ file: samples.name(sample), reason }));
      return { count: parts.skipped.length + bad.size, files: [...parts.skipped, ...files].slice(0, LISTED) };
    },
    name: samples.name,
    label: (sample) => labels?.[sample] ?? null,
    steps(request: StepRequest) {
      checkStepRequest(request);
      const { batch, from = 0, signal = parts.signal } = request;
      return createStream((step) => drawn(step, batch), { ahead: AHEAD, from, signal });
    },
    rows(request) {
      checkRowsRequest(request);
      const { batch, from = 0, signal = parts.signal } = request;
      // beyond the last sample there is nothing
      const until = Math.min(request.until ?? count, count);
      const make = (number: number) =>
        once(from + number * batch, Math.min(until, from + (number + 1) * batch));
      const batches = Math.max(0, Math.ceil((until - from) / batch));
      return createStream(make, { ahead: AHEAD, from: 0, until: batches, signal });
    },
  };
}

/** All results; where one fails, its error, once none is under way any more. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
