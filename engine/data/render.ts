// One picture on its way to a batch: read, decoded, reduced to what the model sees. It is what a thread does, and it
// depends on nothing but its task.

import { RuntimeError } from '../../runtime/errors.ts';
import { decodeFile, withBackground } from './decode.ts';
import type { PictureFormat, StoredColours } from './picture-header.ts';
import { hasAlpha, isTransparent, over, type Raster, type Rgb } from './raster.ts';
import { reduce, type View } from './reduce.ts';

export interface RenderTask {
  readonly source:
    | { readonly kind: 'file'; readonly file: string }
    | { readonly kind: 'raster'; readonly raster: Raster };
  readonly view: View;
  /** What transparent pictures are put over; null: their alpha is dropped, as the original does. */
  readonly background: Rgb | null;
}

/** What a picture was before it was reduced. */
export interface PictureFacts {
  readonly format: PictureFormat;
  readonly width: number;
  readonly height: number;
  readonly colours: StoredColours;
  readonly bits: number;
  /** Whether the background shows through in places. */
  readonly transparent: boolean;
}

export type Rendered =
  | {
      readonly kind: 'planes';
      /** [channels, height, width], 0 to 255. */
      readonly planes: Uint8Array;
      /** Null for pixels that came without a file. */
      readonly facts: PictureFacts | null;
    }
  /** The file is no picture that can be read; the reason names what was found and what to do. */
  | { readonly kind: 'bad'; readonly reason: string };

/** Never rejects for what a file holds, only for faults of ours. */
export async function render({ source, view, background }: RenderTask): Promise<Rendered> {
  if (source.kind === 'raster') {
    const { raster } = source;
    const put = background !== null && view.channels !== 4 && hasAlpha(raster.colours);
    return { kind: 'planes', planes: reduce(put ? over(raster, background) : raster, view), facts: null };
  }
  try {
    const decoded = await decodeFile(source.file);
    const { format, width, height, colours, bits } = decoded.header;
    const transparent = isTransparent(decoded.raster);
    const planes = reduce(withBackground(decoded, background, view.channels), view);
    return { kind: 'planes', planes, facts: { format, width, height, colours, bits, transparent } };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const place = `${source.file}: `;
    const { message } = error;
    return { kind: 'bad', reason: message.startsWith(place) ? message.slice(place.length) : message };
  }
}
