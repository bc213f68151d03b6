// The picture that a model enlarges: chosen, dropped or pasted, cut to the model's proportions and reduced by means of areas,
// as the small pictures were made that such models are trained with. It never leaves the page.

import { RuntimeError } from '../../runtime/errors.ts';
import { dequantize } from '../../runtime/image/pixels.ts';
import { areaMeans } from '../../runtime/image/shrink.ts';
import { lowResShape } from '../../runtime/sampler/request.ts';
import type { PageModel } from '../page-model.ts';
import { pictureOf } from '../picture.ts';
import { make } from './elements.ts';

export interface LowResField {
  readonly element: HTMLElement;
  read(): Uint8Array | null;
  show(bytes: Uint8Array | null): void;
}

/** The longest side that a chosen picture is read at. */
const LONGEST_SIDE = 2048;

/** The field for the small picture, or null where the model takes none. */
export function lowResField(
  { denoiser }: PageModel,
  onChange: () => void,
  onFault: (message: string) => void,
): LowResField | null {
  const shape = lowResShape(denoiser);
  if (shape === null) return null;
  const [, ...space] = shape;
  if (space.length !== 2) return null;
  const [height, width] = space as [number, number];
  let bytes: Uint8Array | null = null;
  const canvas = make('canvas', { width, height, role: 'img', 'aria-label': 'no picture yet' });
  const input = make('input', { type: 'file', id: 'low-res', accept: 'image/*' });
  const about = `It is cut and reduced to ${width} × ${height} pixels here, and never leaves this device.`;
  const drop = make(
    'div',
    { class: 'drop' },
    canvas,
    make('div', {}, input, make('p', { class: 'hint' }, about)),
  );
  const show = (next: Uint8Array | null) => {
    bytes = next;
    canvas.setAttribute('aria-label', next === null ? 'no picture yet' : 'the picture that is enlarged');
    if (next === null) return;
    const { data } = pictureOf({ shape, data: Float32Array.from(next, dequantize) });
    canvas.getContext('2d')!.putImageData(new ImageData(data, width, height), 0, 0);
  };
  const take = async (file: Blob | null | undefined) => {
    if (!file) return;
    try {
      show(await reduced(file, shape));
      onChange();
    } catch (error) {
      onFault(error instanceof RuntimeError ? error.message : `the picture cannot be read: ${String(error)}`);
    }
  };
  input.addEventListener('change', () => void take(input.files?.[0]));
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    void take(event.dataTransfer?.files[0]);
  });
  addEventListener('paste', ({ clipboardData }) => {
    void take([...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/')));
  });
  return {
    element: make('div', { class: 'field' }, make('label', { for: 'low-res' }, 'Picture to enlarge'), drop),
    read: () => bytes,
    show,
  };
}

/** A picture of any size as the bytes of a model's input, [C, H, W]. */
async function reduced(file: Blob, shape: readonly number[]): Promise<Uint8Array> {
  const [channels = 1, height = 1, width = 1] = shape;
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new RuntimeError(
      'input',
      'this file is no picture that the browser can read; choose a PNG, JPEG or WebP',
    );
  });
  // the largest part of the model's proportions, from the middle
  const whole = Math.min(bitmap.width / width, bitmap.height / height);
  const scale = Math.min(1, LONGEST_SIDE / (Math.max(width, height) * whole));
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * whole * scale))) as [
    number,
    number,
  ];
  const canvas = new OffscreenCanvas(w, h);
  const context = canvas.getContext('2d')!;
  context.fillRect(0, 0, w, h);
  const [cutW, cutH] = [width * whole, height * whole];
  context.drawImage(bitmap, (bitmap.width - cutW) / 2, (bitmap.height - cutH) / 2, cutW, cutH, 0, 0, w, h);
  bitmap.close();
  const { data } = context.getImageData(0, 0, w, h);
  const values = new Float32Array(channels * h * w);
  for (let pixel = 0; pixel < h * w; pixel++) {
    const [red, green, blue] = [data[pixel * 4]!, data[pixel * 4 + 1]!, data[pixel * 4 + 2]!];
    // grey as Rec. 601 has it, which pictures are made grey by
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    for (let c = 0; c < channels; c++) {
      values[c * h * w + pixel] = (channels === 3 ? [red, green, blue][c]! : grey) / 127.5 - 1;
    }
  }
  const small = areaMeans({ shape: [channels, h, w], data: values }, [height, width]);
  return Uint8Array.from(small.data, (value) => Math.round(((value + 1) / 2) * 255));
}
