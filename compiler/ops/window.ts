// A window on channels and space: y[b, i] = x[b, start + i] for i within `size`, zero where start + i lies outside x.
// It crops, pads and takes channels apart, and is its own gradient, from -start and with the size of x.

import { NO_MACS, type OpAttrs, type OpDef, type Shape, sizeOf, type TensorType } from './op.ts';
import { demand, demandFloat, formatType, unary } from './operands.ts';

/** `values` over channels and space as channels, depth, height, width. */
function asFour([channel, ...space]: Shape, fill: number): readonly number[] {
  return [channel!, ...Array<number>(3 - space.length).fill(fill), ...space];
}

function outputShape(inputs: readonly TensorType[], { start, size }: OpAttrs['window']): Shape {
  const [x] = unary('window', inputs);
  demandFloat('window', 'x', x);
  const rank = x.shape.length - 1;
  const fits =
    rank >= 1 && rank <= 4 && start.length === rank && size.length === rank && size.every((n) => n >= 1);
  demand(
    fits,
    'window',
    () => `start [${start.join(', ')}] and size [${size.join(', ')}] are no window on ${formatType(x)}`,
  );
  return [x.shape[0]!, ...size];
}

export const window: OpDef<'window'> = {
  infer: (inputs, attrs) => ({ dtype: inputs[0]!.dtype, shape: outputShape(inputs, attrs) }),
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs, { start, size }) {
    const [x] = unary('window', inputs);
    const [batch, ...from] = x.shape;
    const [fromC, fromD, fromH, fromW] = asFour(from, 1) as [number, number, number, number];
    const [toC, toD, toH, toW] = asFour(size, 1) as [number, number, number, number];
    const [atC, atD, atH, atW] = asFour(start, 0) as [number, number, number, number];
    const inside = (i: number, n: number) => i >= 0 && i < n;
    const y = new Float64Array(batch! * sizeOf(size));
    let at = 0;
    for (let b = 0; b < batch!; b++) {
      for (let c = atC; c < atC + toC; c++) {
        for (let d = atD; d < atD + toD; d++) {
          for (let h = atH; h < atH + toH; h++) {
            const row = (((b * fromC + c) * fromD + d) * fromH + h) * fromW;
            const outside = !inside(c, fromC) || !inside(d, fromD) || !inside(h, fromH);
            for (let w = atW; w < atW + toW; w++) {
              y[at++] = outside || !inside(w, fromW) ? 0 : x.data[row + w]!;
            }
          }
        }
      }
    }
    return { shape: [batch!, ...size], data: y };
  },
};
