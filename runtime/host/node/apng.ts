// Pictures over time as one animated PNG, which browsers play and every other reader shows as its last frame.
//
//   IHDR, acTL (frames, 0 = for ever), IDAT (the last frame, not part of the animation), then each frame: fcTL, fdAT
//
// Source: "Portable Network Graphics (PNG) Specification (Third Edition)", sections 11.3.6 and 13.

import { dataView } from '../../bytes.ts';
import type { Pixels } from '../../image/pixels.ts';
import { crc32 } from '../../weights/crc32.ts';
import { encodePng } from './png.ts';

/** Milliseconds that frames are shown, and the last of them. */
export interface FrameTimes {
  readonly frame: number;
  readonly last: number;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const SIGNATURE = 8;

/** Frames must agree in size and channels. */
export function encodeApng(frames: readonly Pixels[], times: FrameTimes): Uint8Array {
  const [first] = frames;
  const last = frames.at(-1);
  if (first === undefined || last === undefined)
    throw new Error('internal: an animation has at least one frame');
  const still = encodePng(last);
  const [header, ...rest] = chunksOf(still);
  const end = rest.findIndex(({ type }) => type === 'IEND');
  let sequence = 0;
  const animated = frames.flatMap((frame, i): Chunk[] => {
    const control = frameControl(sequence++, frame, i === frames.length - 1 ? times.last : times.frame);
    const data = chunksOf(encodePng(frame)).filter(({ type }) => type === 'IDAT');
    return [control, ...data.map((chunk) => ({ type: 'fdAT', data: join([u32(sequence++), chunk.data]) }))];
  });
  const all = [
    header!,
    { type: 'acTL', data: join([u32(frames.length), u32(0)]) },
    ...rest.slice(0, end),
    ...animated,
    rest[end]!,
  ];
  return join([still.subarray(0, SIGNATURE), ...all.map(encodeChunk)]);
}

function chunksOf(png: Uint8Array): readonly Chunk[] {
  const view = dataView(png);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE; at < png.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    chunks.push({ type, data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** fcTL: the whole picture, shown for `milliseconds`, in place of what was there. */
function frameControl(sequence: number, { width, height }: Pixels, milliseconds: number): Chunk {
  const data = new Uint8Array(26);
  const view = dataView(data);
  for (const [i, value] of [sequence, width, height, 0, 0].entries()) view.setUint32(i * 4, value);
  view.setUint16(20, milliseconds);
  view.setUint16(22, 1000);
  return { type: 'fcTL', data };
}

function encodeChunk({ type, data }: Chunk): Uint8Array {
  const body = join([Uint8Array.from(type, (letter) => letter.charCodeAt(0)), data]);
  return join([u32(data.length), body, u32(crc32(body))]);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  dataView(bytes).setUint32(0, value);
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
