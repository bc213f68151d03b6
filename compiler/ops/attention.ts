// Multi-head attention over positions: softmax_s(q_t · k_s / sqrt(ch)) v_s for each head of ch channels, q and k each
// scaled by ch^-¼ before the product. Channels of qkv lie [head][q, k, v][channel] or [q, k, v][head][channel], as in
// guided-diffusion's QKVAttentionLegacy and QKVAttention. Vaswani et al. 2017, arXiv:1706.03762.

import { NO_MACS, type OpAttrs, type OpDef, type TensorType } from './op.ts';
import { activation, demand, formatType, unary } from './operands.ts';

interface Sizes {
  readonly batch: number;
  readonly channels: number;
  readonly positions: number;
}

function sizes(inputs: readonly TensorType[], { heads, order }: OpAttrs['attention']): Sizes {
  const [qkv] = unary('attention', inputs);
  const { batch, channels, space } = activation('attention', 'qkv', qkv);
  demand(space.length === 1, 'attention', () => `qkv must be [batch, 3C, T], got ${formatType(qkv)}`);
  demand(
    Number.isInteger(heads) && heads >= 1 && channels % (3 * heads) === 0,
    'attention',
    () => `${channels} channels do not divide into q, k and v of ${heads} heads`,
  );
  demand(
    order === 'heads_first' || order === 'qkv_first',
    'attention',
    () => `order must be heads_first or qkv_first, got ${JSON.stringify(order)}`,
  );
  return { batch, channels: channels / 3, positions: space[0]! };
}

/**
 * Where the channels of heads lie among those of qkv, all of `width` channels: those of a head's q begin at
 * head · `head`, those of its k and v each `part` behind.
 */
export function attentionStrides(
  { heads, order }: OpAttrs['attention'],
  width: number,
): { readonly head: number; readonly part: number } {
  switch (order) {
    case 'heads_first':
      return { head: 3 * width, part: width };
    case 'qkv_first':
      return { head: width, part: heads * width };
  }
}

export const attention: OpDef<'attention'> = {
  infer(inputs, attrs) {
    const { batch, channels, positions } = sizes(inputs, attrs);
    return { dtype: inputs[0]!.dtype, shape: [batch, channels, positions] };
  },
  macs(inputs, attrs) {
    const { batch, channels, positions } = sizes(inputs, attrs);
    return { ...NO_MACS, attention: 2 * batch * positions ** 2 * channels };
  },
  // Both products, the scaling of q and k, and maximum, difference, exponential, sum and quotient of each score.
  flops(inputs, attrs) {
    const { batch, channels, positions } = sizes(inputs, attrs);
    return (
      batch * (4 * positions ** 2 * channels + 2 * channels * positions + 5 * attrs.heads * positions ** 2)
    );
  },
  reference(inputs, attrs) {
    const { heads } = attrs;
    const [qkv] = unary('attention', inputs);
    const [batch, threeC, positions] = [qkv.shape[0]!, qkv.shape[1]!, qkv.shape[2]!];
    const width = threeC / (3 * heads);
    const scale = 1 / Math.sqrt(Math.sqrt(width));
    const y = new Float64Array((batch * threeC * positions) / 3);
    const weights = new Float64Array(positions);
    const strides = attentionStrides(attrs, width);
    for (let head = 0; head < batch * heads; head++) {
      const first = Math.floor(head / heads) * threeC + (head % heads) * strides.head;
      const [q, k, v] = [0, 1, 2].map((part) => (first + part * strides.part) * positions) as [
        number,
        number,
        number,
      ];
      for (let t = 0; t < positions; t++) {
        weights.fill(0);
        for (let c = 0; c < width; c++) {
          const query = qkv.data[q + c * positions + t]! * scale;
          const keys = k + c * positions;
          for (let s = 0; s < positions; s++)
            weights[s] = weights[s]! + query * (qkv.data[keys + s]! * scale);
        }
        softmaxInPlace(weights);
        for (let c = 0; c < width; c++) {
          const values = v + c * positions;
          let sum = 0;
          for (let s = 0; s < positions; s++) sum += weights[s]! * qkv.data[values + s]!;
          y[(head * width + c) * positions + t] = sum;
        }
      }
    }
    return { shape: [batch, threeC / 3, positions], data: y };
  },
};

/** Replaces scores by their softmax. */
export function softmaxInPlace(scores: Float64Array): void {
  let maximum = -Infinity;
  for (let s = 0; s < scores.length; s++) maximum = Math.max(maximum, scores[s]!);
  let sum = 0;
  for (let s = 0; s < scores.length; s++) {
    const e = Math.exp(scores[s]! - maximum);
    scores[s] = e;
    sum += e;
  }
  for (let s = 0; s < scores.length; s++) scores[s] = scores[s]! / sum;
}
