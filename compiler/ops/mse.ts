// The mean squared error of each sample over the channels of its target, and its gradient by the prediction. Where a
// prediction has more channels than its target, those behind have no part in it.

import { NO_MACS, type OpDef, type RefTensor, type Shape, sizeOf, type TensorType } from './op.ts';
import { activation, binary, demand, demandFloat, demandShape, formatType, ternary } from './operands.ts';

/** y[b] = the mean over i of (prediction[b, i] - target[b, i])². */
export const mse: OpDef<'mse'> = {
  infer(inputs) {
    const [prediction, target] = binary('mse', inputs);
    demandPrediction('mse', prediction, target);
    return { dtype: 'f32', shape: [target.shape[0]!] };
  },
  macs: () => NO_MACS,
  flops: (inputs) => 3 * sizeOf(binary('mse', inputs)[1].shape),
  reference(inputs) {
    const [prediction, target] = binary('mse', inputs);
    const batch = target.shape[0]!;
    const data = new Float64Array(batch);
    forEachPair(prediction, target, (b, p, t) => {
      data[b] = data[b]! + (prediction.data[p]! - target.data[t]!) ** 2;
    });
    return { shape: [batch], data: data.map((sum) => (sum * batch) / target.data.length) };
  },
};

/** prediction, target, g [B]: 2 (prediction - target) g[b] / n over the n elements of a target, zero behind them. */
export const mse_gradient: OpDef<'mse_gradient'> = {
  infer(inputs) {
    const [prediction, target, g] = ternary('mse_gradient', inputs);
    demandPrediction('mse_gradient', prediction, target);
    demandShape('mse_gradient', 'g', g, [target.shape[0]!]);
    return prediction;
  },
  macs: () => NO_MACS,
  flops: (inputs) => 3 * sizeOf(ternary('mse_gradient', inputs)[1].shape),
  reference(inputs) {
    const [prediction, target, g] = ternary('mse_gradient', inputs);
    const count = target.data.length / target.shape[0]!;
    const data = new Float64Array(prediction.data.length);
    forEachPair(prediction, target, (b, p, t) => {
      data[p] = (2 * (prediction.data[p]! - target.data[t]!) * g.data[b]!) / count;
    });
    return { shape: prediction.shape, data };
  },
};

type LossName = 'mse' | 'mse_gradient' | 'variational_bound' | 'variational_bound_gradient';

/** Demands a prediction of a target's sizes, with as many channels or more. */
export function demandPrediction(op: LossName, prediction: TensorType, target: TensorType): void {
  const { batch, channels, space } = activation(op, 'target', target);
  demandFloat(op, 'prediction', prediction);
  const [of, outputs = 0, ...size] = prediction.shape;
  demand(
    of === batch && outputs >= channels && size.join() === space.join(),
    op,
    () => `a prediction ${formatType(prediction)} is not of the sizes of its target ${formatType(target)}`,
  );
}

/** Goes over the elements of a target in order, with the place of each in the prediction. */
export function forEachPair(
  prediction: RefTensor,
  target: RefTensor,
  visit: (sample: number, at: number, atTarget: number) => void,
): void {
  const perSample = ({ shape }: { readonly shape: Shape }) => sizeOf(shape.slice(1));
  const [outputs, count] = [perSample(prediction), perSample(target)];
  for (let t = 0; t < target.data.length; t++) {
    const b = Math.floor(t / count);
    visit(b, b * outputs + (t % count), t);
  }
}
