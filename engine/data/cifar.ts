// CIFAR's binary files: a label (CIFAR-100: a coarse one, then the fine one that counts), then 32x32 in three planes.
// Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009), the data set's own page.

import fs from 'node:fs';
import path from 'node:path';
import { type ByteSource, closeEach, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { guarded } from '../../runtime/host/node/system-faults.ts';
import type { ArraySet } from './array-set.ts';
import type { Rows } from './rows.ts';

const PIXELS = 3 * 32 * 32;
/** Bytes of labels before the pixels, and how many classes there are. */
const FORMS = {
  10: { labels: 1, classes: 10, names: 'batches.meta.txt' },
  100: { labels: 2, classes: 100, names: 'fine_label_names.txt' },
} as const;

type Form = (typeof FORMS)[keyof typeof FORMS];

/** The files to train with among those of a folder, in order; none where it is no folder of CIFAR's. */
export function cifarFiles(names: readonly string[]): readonly string[] {
  const ten = names.filter((name) => /^data_batch_\d+\.bin$/.test(name)).toSorted();
  return ten.length > 0 ? ten : names.filter((name) => name === 'train.bin');
}

/** @param files paths of files of one form, in one folder. Throws RuntimeError('input'). */
export function openCifar(files: readonly string[]): ArraySet {
  const parts: { readonly source: ByteSource; readonly origin: Origin; readonly count: number }[] = [];
  const close = (): void => closeEach(parts.map(({ source }) => source));
  try {
    let form: Form | null = null;
    for (const file of files) {
      const origin: Origin = { kind: 'input', label: file };
      const source = openFile(origin);
      parts.push({ source, origin, count: 0 });
      form ??= formOf(file, source, origin);
      const record = form.labels + PIXELS;
      if (source.size === 0 || source.size % record !== 0) {
        throw fault(
          origin,
          `it has ${source.size} bytes, no whole number of records of ${record}; copy or download it again`,
        );
      }
      parts[parts.length - 1] = { source, origin, count: source.size / record };
    }
    return { ...setOf(parts, form!), names: namesBeside(files[0]!, form!), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** By the name, else by the size, else by labels that are below ten. */
function formOf(file: string, source: ByteSource, origin: Origin): Form {
  const name = path.basename(file);
  if (/^(train|test)\.bin$/.test(name)) return FORMS[100];
  if (/^(data_batch_\d+|test_batch)\.bin$/.test(name)) return FORMS[10];
  const fits = Object.values(FORMS).filter(
    ({ labels }) => source.size > 0 && source.size % (labels + PIXELS) === 0,
  );
  if (fits.length > 0) return fits[0]!;
  throw fault(
    origin,
    `it has ${source.size} bytes; CIFAR's binary files are records of ${1 + PIXELS} bytes (CIFAR-10) or ${2 + PIXELS} (CIFAR-100)`,
  );
}

interface Part {
  readonly source: ByteSource;
  readonly origin: Origin;
  readonly count: number;
}

function setOf(parts: readonly Part[], { labels: before, classes }: Form): Omit<ArraySet, 'names' | 'close'> {
  const record = before + PIXELS;
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const ids = new Int32Array(count);
  const starts: number[] = [];
  let next = 0;
  for (const { source, origin, count: records } of parts) {
    starts.push(next);
    for (let i = 0; i < records; i++) {
      const label = source.read(i * record + before - 1, 1)[0]!;
      if (label >= classes) {
        throw fault(
          origin,
          `the label of image ${i} is ${label}, and CIFAR-${classes} has ${classes} classes`,
        );
      }
      ids[next++] = label;
    }
  }
  const origin = parts[0]!.origin;
  const images: Rows = {
    origin,
    dtype: 'U8',
    shape: [count, 3, 32, 32],
    read(first, rows = 1) {
      const pixels = new Uint8Array(rows * PIXELS);
      for (let row = 0; row < rows; row++) {
        const part = starts.findLastIndex((start) => start <= first + row);
        const at = (first + row - starts[part]!) * record + before;
        pixels.set(parts[part]!.source.read(at, PIXELS), row * PIXELS);
      }
      return pixels;
    },
  };
  return { kind: 'cifar', images, labels: { origin, ids }, low_res: null, channels: 'first', notes: [] };
}

/** Names of classes, one a line, where their file lies beside the images. */
function namesBeside(file: string, { names, classes }: Form): readonly string[] | null {
  const list = path.join(path.dirname(file), names);
  const text = guarded({ kind: 'input', label: list }, () => {
    const stat = fs.statSync(list, { throwIfNoEntry: false });
    return stat?.isFile() && stat.size <= 65_536 ? fs.readFileSync(list, 'utf8') : null;
  });
  if (text === null) return null;
  const lines = text.split('\n').map((line) => line.trim());
  return lines.slice(0, classes).every((line) => line !== '') ? lines.slice(0, classes) : null;
}
