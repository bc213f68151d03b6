// Where samples go: a PNG each and a contact sheet, or one safetensors file.

import path from 'node:path';
import { checkWritable, checkWritableFolder, writeFile } from '../../runtime/files.ts';
import { contactSheet, type SheetItem } from '../../runtime/image/contact-sheet.ts';
import { toPixels } from '../../runtime/image/pixels.ts';
import { encodePng } from '../../runtime/image/png.ts';
import type { Sample } from '../../runtime/sampler/sample.ts';
import { elements } from '../../runtime/tensor.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import type { SampleJob } from './job.ts';

export const SHEET_NAME = 'contact-sheet.png';
export const TENSORS_NAME = 'samples.safetensors';

/** Samples on a contact sheet; a person looks at no more at once, and memory stays flat in long runs. */
export const SHEET_SAMPLES = 256;

export interface SampleOutput {
  /** Takes a finished sample; a PNG is on disk when this returns. */
  add(sample: Sample): void;
  /** Writes what is made of all samples. Returns the paths of every file of the run. */
  finish(): readonly string[];
}

/** Says early whether the output could be written. Writes nothing. */
export function checkOutput({ out, format }: Pick<SampleJob, 'out' | 'format'>): void {
  if (format === 'png') checkWritableFolder(out);
  else checkWritable(path.join(out, TENSORS_NAME));
}

export function openOutput({ out, format }: Pick<SampleJob, 'out' | 'format'>): SampleOutput {
  switch (format) {
    case 'png':
      return pngOutput(out);
    case 'safetensors':
      return tensorsOutput(out);
  }
}

/** The file name of a seed's picture: six digits or more, so that names sort as seeds do. */
export function pictureName(seed: number): string {
  return `${String(seed).padStart(6, '0')}.png`;
}

function pngOutput(out: string): SampleOutput {
  const files: string[] = [];
  const items: SheetItem[] = [];
  return {
    add({ request, image }) {
      const pixels = toPixels(image);
      const file = path.join(out, pictureName(request.seed));
      writeFile(file, encodePng(pixels));
      files.push(file);
      if (items.length < SHEET_SAMPLES) items.push({ pixels, label: String(request.label ?? request.seed) });
    },
    finish() {
      const file = path.join(out, SHEET_NAME);
      writeFile(file, encodePng(contactSheet(items)));
      return [...files, file];
    },
  };
}

function tensorsOutput(out: string): SampleOutput {
  const samples: Sample[] = [];
  return {
    add(sample) {
      samples.push(sample);
    },
    finish() {
      const shape = samples[0]!.image.shape;
      const data = new Float32Array(samples.length * elements(shape));
      for (const [k, { image }] of samples.entries()) data.set(image.data.map(clamp), k * elements(shape));
      const file = path.join(out, TENSORS_NAME);
      writeFile(file, writeTensors(new Map([['samples', { shape: [samples.length, ...shape], data }]])));
      return [file];
    },
  };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
