// One picture on its way to a batch: read, decoded, reduced to what the model sees. It is what a thread does, and it
// depends on nothing but its task.

import { RuntimeError } from '../../runtime/errors.ts';
import { SystemFault } from '../../runtime/host/node/system-faults.ts';
import { decodeFile, requireDecoder, withBackground } from './decode.ts';
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
  | { readonly kind: 'bad'; readonly reason: string }
  /** The system refused to open or to read it, or pictures cannot be decoded at all: no fault of what the file holds. */
  | { readonly kind: 'refused'; readonly message: string };

/** Never rejects for what a file holds, nor for what the system says of it, only for faults of ours. */
export async function render({ source, view, background }: RenderTask): Promise<Rendered> {
  if (source.kind === 'raster') {
    const { raster } = source;
    const put = background !== null && view.channels !== 4 && hasAlpha(raster.colours);
    return { kind: 'planes', planes: reduce(put ? over(raster, background) : raster, view), facts: null };
  }
  try {
    await requireDecoder();
  } catch (error) {
    return { kind: 'refused', message: messageOf(error) };
  }
  try {
    const decoded = await decodeFile(source.file);
    const { format, width, height, colours, bits } = decoded.header;
    const transparent = isTransparent(decoded.raster);
    const planes = reduce(withBackground(decoded, background, view.channels), view);
    return { kind: 'planes', planes, facts: { format, width, height, colours, bits, transparent } };
  } catch (error) {
    const message = messageOf(error);
    if (error instanceof SystemFault) return { kind: 'refused', message };
    const place = `${source.file}: `;
    return { kind: 'bad', reason: message.startsWith(place) ? message.slice(place.length) : message };
  }
}

/** Throws what is no RuntimeError. */
function messageOf(error: unknown): string {
  if (error instanceof RuntimeError) return error.message;
  throw error;
}
