// Which elements a dropout keeps, drawn by Philox from a sample's words: seed, step and number of the sample. The draw is
// `runtime/training/dropout.ts`, the same on host and device.

import { DROPOUT_WORDS, dropoutMask } from '../../runtime/bundle.ts';
import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { demand, formatType, unary } from './operands.ts';

export const dropout_mask: OpDef<'dropout_mask'> = {
  infer(inputs, { p, block, size }) {
    const [words] = unary('dropout_mask', inputs);
    demand(
      words.dtype === 'u32' && words.shape.length === 2 && words.shape[1] === DROPOUT_WORDS,
      'dropout_mask',
      () => `takes words u32 [B, ${DROPOUT_WORDS}], got ${formatType(words)}`,
    );
    demand(p >= 0 && p < 1, 'dropout_mask', () => `p must be at least 0 and below 1, got ${p}`);
    demand(
      Number.isInteger(block) && block >= 0 && block < 2 ** 24,
      'dropout_mask',
      () => `block must be a whole number below 2^24, got ${block}`,
    );
    return { dtype: 'u32', shape: [words.shape[0]!, ...size] };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs, { p, block, size }) {
    const [words] = unary('dropout_mask', inputs);
    const [batch = 1] = words.shape;
    const [channels = 1, ...space] = size;
    const data = new Float64Array(batch * sizeOf(size));
    for (let b = 0; b < batch; b++) {
      const row = words.data.subarray(b * DROPOUT_WORDS, (b + 1) * DROPOUT_WORDS);
      data.set(dropoutMask(row, { p, block }, channels, sizeOf(space)), b * sizeOf(size));
    }
    return { shape: [batch, ...size], data };
  },
};
