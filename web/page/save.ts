// Pictures as files: one, all on a sheet, or the numbers that they were made of.

import { contactSheet } from '../../runtime/image/contact-sheet.ts';
import { encodePng } from '../../runtime/image/encode-png.ts';
import type { Pixels } from '../../runtime/image/pixels.ts';
import { elements } from '../../runtime/tensor.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { toColours } from '../picture.ts';
import { make } from './elements.ts';
import type { Named } from './sheet.ts';

/** Saves one picture, pixel by pixel as it is. */
export async function savePicture(name: string, { picture, label, seed }: Named): Promise<void> {
  const words = [name, `seed${seed}`, ...(label === '' ? [] : [label])];
  save(await pngOf(toColours(picture)), `${fileName(words.join('-'))}.png`);
}

/** Saves all pictures on one, as the contact sheet of `unetc sample`. */
export async function saveSheet(name: string, all: readonly Named[]): Promise<void> {
  const items = all.map(({ picture, label }) => ({
    pixels: toColours(picture),
    ...(label === '' ? {} : { label }),
  }));
  save(await pngOf(contactSheet(items)), `${fileName(name)}-sheet.png`);
}

/** Saves x_0 of all samples as `unetc sample --format safetensors` does: `samples` [N, C, ...space]. */
export function saveValues(name: string, shape: readonly number[], all: readonly Float32Array[]): void {
  const data = new Float32Array(all.length * elements(shape));
  for (const [i, values] of all.entries()) data.set(values, i * elements(shape));
  const bytes = writeTensors(new Map([['samples', { shape: [all.length, ...shape], data }]]));
  save(
    new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }),
    `${fileName(name)}-samples.safetensors`,
  );
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  make('a', { href: url, download: name }).click();
  // the browser has to have begun to read it
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name that every file system takes. */
function fileName(text: string): string {
  return text.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 100);
}

async function pngOf(pixels: Pixels): Promise<Blob> {
  return new Blob([await encodePng(pixels)], { type: 'image/png' });
}
