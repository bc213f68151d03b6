// The gradient of `attention` by qkv, where g is the gradient by its result. For each head, with p the weights of a query
// t over keys s, u_ts = Σ_c g_ct v_cs, and the score gradient d_ts = p_ts (u_ts - Σ_s p_ts u_ts) / sqrt(ch):
// of q: Σ_s d_ts k_s, of k: Σ_t d_ts q_t, of v: Σ_t p_ts g_t. Source: Dao et al. 2022, arXiv:2205.14135, appendix B.

import { attention, attentionStrides, softmaxInPlace } from './attention.ts';
import { NO_MACS, type OpDef } from './op.ts';
import { binary, demandShape } from './operands.ts';

export const attention_gradient: OpDef<'attention_gradient'> = {
  infer(inputs, attrs) {
    const [qkv, g] = binary('attention_gradient', inputs);
    const result = attention.infer([qkv], attrs);
    demandShape('attention_gradient', 'g', g, result.shape);
    return qkv;
  },
  // Five products where `attention` has two: scores, u, and those for q, k and v.
  macs(inputs, attrs) {
    const forward = attention.macs([inputs[0]!], attrs).attention;
    return { ...NO_MACS, attention: (forward / 2) * 5 };
  },
  flops(inputs, attrs) {
    return (attention.flops([inputs[0]!], attrs) / 2) * 5;
  },
  reference(inputs, attrs) {
    const [qkv, g] = binary('attention_gradient', inputs);
    const { heads } = attrs;
    const [batch, threeC, positions] = [qkv.shape[0]!, qkv.shape[1]!, qkv.shape[2]!];
    const width = threeC / (3 * heads);
    const scale = 1 / Math.sqrt(width);
    const strides = attentionStrides(attrs, width);
    const y = new Float64Array(qkv.data.length);
    const weights = new Float64Array(positions);
    const ofWeights = new Float64Array(positions);
    for (let head = 0; head < batch * heads; head++) {
      const first = Math.floor(head / heads) * threeC + (head % heads) * strides.head;
      const channel = (part: number, c: number) => (first + part * strides.part + c) * positions;
      for (let t = 0; t < positions; t++) {
        weights.fill(0);
        ofWeights.fill(0);
        for (let c = 0; c < width; c++) {
          const query = qkv.data[channel(0, c) + t]! * scale;
          const gradient = g.data[(head * width + c) * positions + t]!;
          for (let s = 0; s < positions; s++) {
            weights[s] = weights[s]! + query * qkv.data[channel(1, c) + s]!;
            ofWeights[s] = ofWeights[s]! + gradient * qkv.data[channel(2, c) + s]!;
          }
        }
        softmaxInPlace(weights);
        let mean = 0;
        for (let s = 0; s < positions; s++) mean += weights[s]! * ofWeights[s]!;
        for (let c = 0; c < width; c++) {
          const query = qkv.data[channel(0, c) + t]! * scale;
          const gradient = g.data[(head * width + c) * positions + t]!;
          let ofQuery = 0;
          for (let s = 0; s < positions; s++) {
            const ofScore = weights[s]! * (ofWeights[s]! - mean);
            ofQuery += ofScore * qkv.data[channel(1, c) + s]! * scale;
            const [key, value] = [channel(1, c) + s, channel(2, c) + s];
            y[key] = y[key]! + ofScore * query;
            y[value] = y[value]! + weights[s]! * gradient;
          }
          y[channel(0, c) + t] = ofQuery;
        }
      }
    }
    return { shape: qkv.shape, data: y };
  },
};
