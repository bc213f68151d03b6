// The images of an evaluation as they are read: one after the other in the order of the data, those that are known already
// left out, each held against what was known of it before.

import { createHash } from 'node:crypto';
import { checkBatch, type Wanted } from '../data/batch.ts';
import type { Dataset } from '../data/dataset.ts';
import { OptionError } from '../errors.ts';
import { isWhole, type Terms } from './terms.ts';

/** An image of a part, with what the model takes beside it. */
export interface ReadImage {
  /** Its row in the terms of the part, and its place in the data. */
  readonly row: number;
  readonly place: number;
  readonly name: string;
  /** [C, ...size]. */
  readonly x_start: Float32Array;
  readonly label: number | null;
  readonly low_res: Float32Array | null;
  /** The first words of the SHA-256 of all of it. */
  readonly digest: readonly [number, number];
}

/** Images that are read at once. */
const CHUNK = 16;

interface Source {
  readonly data: Dataset;
  /** What the model takes: a caller's dataset may have been opened for another. */
  readonly wanted: Wanted;
  /** Places in the data. */
  readonly range: readonly [number, number];
  readonly terms: Terms;
}

/**
 * The images of [first, end) of which terms are missing. An image that cannot be read is left out, and `skip` told.
 * @throws RuntimeError('input') where the data is not what the model takes, and RuntimeError('output') where an image is
 *   another one than its known terms are of
 */
export async function* missingImages(
  { data, wanted, range: [first, end], terms }: Source,
  skip: (row: number) => void,
  signal: AbortSignal,
): AsyncGenerator<ReadImage, void, undefined> {
  for (const [from, until] of gaps(terms, first, end)) {
    let next = from;
    for await (const batch of data.rows({ batch: CHUNK, from, until, signal })) {
      const { x_start, y, low_res } = batch;
      const samples = batch.samples ?? [];
      checkBatch(batch, samples.length, wanted, `${data.path}, from image ${next} on`);
      const rowOf = ({ data: values }: { readonly data: Float32Array }, k: number): Float32Array => {
        const length = values.length / samples.length;
        return values.subarray(k * length, (k + 1) * length);
      };
      for (const [k, place] of samples.entries()) {
        for (; next < place; next++) skip(next - first);
        next = place + 1;
        const given = {
          x_start: rowOf(x_start, k),
          label: y?.[k] ?? null,
          low_res: low_res === undefined ? null : rowOf(low_res, k),
        };
        const image = {
          row: place - first,
          place,
          name: data.name(place),
          ...given,
          digest: digestOf(given),
        };
        checkSame(image, terms);
        yield image;
      }
    }
    for (; next < until; next++) skip(next - first);
  }
}

/** Runs of places of which terms are missing. */
function gaps(terms: Terms, first: number, end: number): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (let place = first; place < end; place++) {
    if (isWhole(terms, place - first)) continue;
    const last = runs.at(-1);
    if (last?.[1] === place) last[1]++;
    else runs.push([place, place + 1]);
  }
  return runs;
}

function digestOf({
  x_start,
  label,
  low_res,
}: Pick<ReadImage, 'x_start' | 'label' | 'low_res'>): [number, number] {
  const hash = createHash('sha256').update(`${label ?? ''} `);
  for (const values of [x_start, low_res]) {
    if (values !== null) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const bytes = hash.digest();
  // zeros mean that nothing is known
  return [bytes.readUInt32LE(0) || 1, bytes.readUInt32LE(4)];
}

function checkSame({ row, name, digest }: ReadImage, { digests }: Terms): void {
  const [a, b] = [digests[2 * row]!, digests[2 * row + 1]!];
  if ((a === 0 && b === 0) || (a === digest[0] && b === digest[1])) return;
  throw new OptionError(
    'output',
    (option) =>
      `${name}: the image has changed since its first terms were computed; begin anew with ${option('resume', false)}`,
  );
}

/** Images that tell one set of data from another. */
const PROBED = 8;

/** A digest of what data is made of: how much there is, and some of its images, evenly spread; not where it lies. */
export async function digestOfData(data: Dataset, count: number, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256').update(`${data.kind} ${data.count}`);
  const probed = Math.min(PROBED, count);
  for (let i = 0; i < probed; i++) {
    const place = Math.floor((i * count) / probed);
    for await (const { x_start, y, low_res } of data.rows({
      batch: 1,
      from: place,
      until: place + 1,
      signal,
    })) {
      const values = [x_start.data, ...(low_res === undefined ? [] : [low_res.data])];
      hash.update(` ${place} ${y?.[0] ?? ''} `);
      for (const { buffer, byteOffset, byteLength } of values)
        hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest('hex');
}
