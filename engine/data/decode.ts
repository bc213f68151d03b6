// A picture's file to its pixels, by sharp: what Pillow gives, to the last bit. Orientation (EXIF) and colour profiles are
// left alone, as the original leaves them; 16 bits become 8 by their upper byte; a palette becomes its colours; of an
// animation the first picture counts.

import type { Sharp, SharpOptions } from 'sharp';
import type { Origin } from '../../runtime/bytes.ts';
import { fault } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { noMemory, systemFaultOf } from '../../runtime/host/node/system-faults.ts';
import { MOST_PIXELS, type PictureHeader, readPictureHeader } from './picture-header.ts';
import { type Colours, over, type Raster, type Rgb, withoutAlpha } from './raster.ts';

/** What libvips and its decoders say where the system gives them no memory. */
const NO_MEMORY = /out of memory|insufficient memory|cannot allocate/i;

/** Files larger than this are refused unread: no picture within `MOST_PIXELS` needs as much. */
const MOST_BYTES = 2 ** 30;

type MakeSharp = (input: Uint8Array, options: SharpOptions) => Sharp;

/** A picture with its header, which says what it was before it was unpacked. */
export interface Decoded {
  readonly header: PictureHeader;
  readonly raster: Raster;
  /** Whether the file says that something of it is transparent, or how transparent it is. */
  readonly alpha: boolean;
}

/**
 * Reads and decodes a file. Throws RuntimeError('input') that names the file, or sharp where it is not installed; a SystemFault
 * where it is not the file's fault.
 */
export async function decodeFile(file: string): Promise<Decoded> {
  const origin: Origin = { kind: 'input', label: file };
  const source = openFile(origin);
  let bytes: Uint8Array;
  try {
    if (source.size > MOST_BYTES) {
      throw fault(origin, `it has ${source.size} bytes, and pictures of at most ${MOST_BYTES} are read`);
    }
    bytes = source.read(0, source.size);
  } finally {
    source.close();
  }
  return decodePicture(bytes, origin);
}

/** @throws RuntimeError of `origin.kind` where the bytes are no whole picture */
export async function decodePicture(bytes: Uint8Array, origin: Origin): Promise<Decoded> {
  const header = readPictureHeader(bytes, origin);
  const sharp = await loadSharp();
  const cmyk = header.colours === 'cmyk';
  const picture = sharp(bytes, {
    failOn: 'truncated',
    ignoreIcc: true,
    limitInputPixels: MOST_PIXELS,
    pages: 1,
  });
  // four channels of ink stay as they are: Pillow resizes them before it makes colours of them
  const unpacked = cmyk ? picture.pipelineColourspace('cmyk').toColourspace('cmyk') : picture;
  const { data, info } = await unpacked
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      if (NO_MEMORY.test(String(error))) throw noMemory(origin, error);
      throw fault(origin, `it cannot be decoded (${firstLine(error)}); save it again`, error);
    });
  const { width, height, channels } = info;
  if (data.length !== width * height * channels || channels < 3) {
    throw new Error(
      `internal: sharp made ${data.length} bytes of ${width}x${height} in ${channels} channels`,
    );
  }
  if (cmyk) {
    return { header, alpha: false, raster: { width, height, colours: 'CMYK', data } };
  }
  const grey = header.colours === 'grey' || header.colours === 'grey_alpha';
  const colours: Colours = channels === 4 ? (grey ? 'LA' : 'RGBA') : grey ? 'L' : 'RGB';
  const raster = { width, height, colours, data: bandsOf(data, channels, colours) };
  return { header, alpha: channels === 4, raster };
}

/** sharp repeats grey three times; alpha comes last. */
function bandsOf(data: Uint8Array, channels: number, colours: Colours): Uint8Array {
  if (colours === 'L') return new Uint8Array(data.length / channels).map((_, i) => data[i * channels]!);
  if (colours !== 'LA') return data;
  return new Uint8Array(data.length / 2).map((_, i) => data[(i >> 1) * 4 + (i % 2 === 0 ? 0 : 3)]!);
}

/**
 * A picture's pixels as they are resized. Over a `background` its alpha is gone. Without one a picture whose channels
 * are colours alone (a palette, colours of which one counts as transparent) keeps its colours, as in Pillow, and one
 * that has a channel of alpha keeps that. A model of four channels takes any alpha there is.
 */
export function withBackground(
  { header, raster, alpha }: Decoded,
  background: Rgb | null,
  channels: 1 | 3 | 4,
): Raster {
  if (!alpha || channels === 4) return raster;
  if (background !== null) return over(raster, background);
  const stored = header.colours === 'grey_alpha' || header.colours === 'rgb_alpha';
  return stored ? raster : withoutAlpha(raster);
}

/** Rejects with RuntimeError('input') that says what to install where pictures cannot be decoded at all. */
export async function requireDecoder(): Promise<void> {
  await loadSharp();
}

async function loadSharp(): Promise<MakeSharp> {
  try {
    const { default: sharp } = await import('sharp');
    return sharp;
  } catch (error) {
    const refused = systemFaultOf(
      { kind: 'input', label: 'the package sharp, by which pictures are decoded' },
      error,
    );
    if (refused !== null) throw refused;
    throw new RuntimeError(
      'input',
      `pictures are decoded by the package sharp, and it cannot be loaded (${firstLine(error)}): install it with ` +
        '`npm install sharp`, or give the data as .npz, IDX, CIFAR binaries or .safetensors, which need no package',
      { cause: error },
    );
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split('\n')[0]!.slice(0, 200);
}
