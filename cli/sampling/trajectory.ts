// The way of a sample from noise to image as a picture: its guesses at x_0, and the image itself at the end.

import { encodeApng } from '../../runtime/image/apng.ts';
import type { Pixels } from '../../runtime/image/pixels.ts';
import { encodePng } from '../../runtime/image/png.ts';
import { strip } from '../../runtime/image/strip.ts';

const TIMES = { frame: 80, last: 1500 };

export function trajectoryPicture(kind: 'apng' | 'strip', frames: readonly Pixels[]): Uint8Array {
  return kind === 'apng' ? encodeApng(frames, TIMES) : encodePng(strip(frames));
}
