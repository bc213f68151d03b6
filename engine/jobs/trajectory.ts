// The way of a sample from noise to image as a picture: its guesses at x_0, and the image itself at the end.

import { encodeApng } from '../../runtime/host/node/apng.ts';
import { encodePng } from '../../runtime/host/node/png.ts';
import { enlarge } from '../../runtime/image/enlarge.ts';
import type { Pixels } from '../../runtime/image/pixels.ts';
import { strip } from '../../runtime/image/strip.ts';

const TIMES = { frame: 80, last: 1500 };

/** Small pictures are enlarged to about this width. */
const WIDTH = { apng: 192, strip: 96 };

/** @param frames of one size; at least one */
export function trajectoryPicture(kind: 'apng' | 'strip', frames: readonly Pixels[]): Uint8Array {
  const factor = Math.max(1, Math.round(WIDTH[kind] / frames[0]!.width));
  const large = frames.map((frame) => enlarge(frame, factor));
  return kind === 'apng' ? encodeApng(large, TIMES) : encodePng(strip(large));
}
