// Feature-wise linear modulation: y[b, c, p] = x[b, c, p] · (1 + e[b, c]) + e[b, C + c].
// Perez et al. 2017, arXiv:1709.07871; the scale is kept around 1 as in improved-diffusion's ResBlock.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, binary, demandShape } from './operands.ts';

export const film: OpDef<'film'> = {
  infer(inputs) {
    const [x, e] = binary('film', inputs);
    const { batch, channels } = activation('film', 'x', x);
    demandShape('film', 'e (scale, shift)', e, [batch, 2 * channels]);
    return x;
  },
  macs: () => NO_MACS,
  flops: (inputs) => 3 * sizeOf(binary('film', inputs)[0].shape),
  reference(inputs) {
    const [x, e] = binary('film', inputs);
    const [batch, channels] = [x.shape[0]!, x.shape[1]!];
    const positions = x.data.length / (batch * channels);
    const data = new Float64Array(x.data.length);
    for (let b = 0; b < batch; b++) {
      for (let c = 0; c < channels; c++) {
        const scale = 1 + e.data[b * 2 * channels + c]!;
        const shift = e.data[b * 2 * channels + channels + c]!;
        const row = (b * channels + c) * positions;
        for (let p = row; p < row + positions; p++) data[p] = x.data[p]! * scale + shift;
      }
    }
    return { shape: x.shape, data };
  },
};
