// Linear, bilinear or trilinear interpolation to any size, corners not aligned, as torch.nn.functional.interpolate:
// output p reads at s = max(0, (p + ½) · in / out - ½), between floor(s) and the next position, which the edge holds.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, demandPerDimension, unary } from './operands.ts';
import { asSpace3 } from './space.ts';

/** Where an output position reads along one dimension: (1 - weight) · x[low] + weight · x[high]. */
export interface LinearTap {
  readonly low: number;
  readonly high: number;
  readonly weight: number;
}

/** The taps of all `to` output positions along a dimension of `from` input positions. */
export function linearTaps(from: number, to: number): readonly LinearTap[] {
  return Array.from({ length: to }, (_, p) => {
    const source = Math.max(0, ((p + 0.5) * from) / to - 0.5);
    const low = Math.min(Math.floor(source), from - 1);
    return { low, high: Math.min(low + 1, from - 1), weight: source - low };
  });
}

export const upsample_linear: OpDef<'upsample_linear'> = {
  infer(inputs, { size }) {
    const [x] = unary('upsample_linear', inputs);
    const { batch, channels, space } = activation('upsample_linear', 'x', x);
    demandPerDimension('upsample_linear', 'size', size, space, 1);
    return { dtype: x.dtype, shape: [batch, channels, ...size] };
  },
  macs: () => NO_MACS,
  // One dimension after the other, each a lerp of 3 operations: 1 + 2 + 4 of them in 3 dimensions.
  flops(inputs, { size }) {
    const [x] = unary('upsample_linear', inputs);
    return 3 * (2 ** size.length - 1) * x.shape[0]! * x.shape[1]! * sizeOf(size);
  },
  reference(inputs, { size }) {
    const [x] = unary('upsample_linear', inputs);
    const [batch, channels, ...space] = x.shape;
    const from = asSpace3(space, 1);
    const to = asSpace3(size, 1);
    const [tapsD, tapsH, tapsW] = [
      linearTaps(from[0], to[0]),
      linearTaps(from[1], to[1]),
      linearTaps(from[2], to[2]),
    ];
    const shape = [batch!, channels!, ...size];
    const y = new Float64Array(sizeOf(shape));
    let at = 0;
    for (let plane = 0; plane < batch! * channels!; plane++) {
      const row = (d: number, h: number) => ((plane * from[0] + d) * from[1] + h) * from[2];
      for (const d of tapsD) {
        for (const h of tapsH) {
          const [near, nearNext] = [row(d.low, h.low), row(d.low, h.high)];
          const [far, farNext] = [row(d.high, h.low), row(d.high, h.high)];
          for (const w of tapsW) {
            const front = lerp(along(x.data, near, w), along(x.data, nearNext, w), h.weight);
            const back = lerp(along(x.data, far, w), along(x.data, farNext, w), h.weight);
            y[at++] = lerp(front, back, d.weight);
          }
        }
      }
    }
    return { shape, data: y };
  },
};

function lerp(a: number, b: number, weight: number): number {
  return a * (1 - weight) + b * weight;
}

function along(data: Float64Array, row: number, tap: LinearTap): number {
  return lerp(data[row + tap.low]!, data[row + tap.high]!, tap.weight);
}
