// A term of the variational bound in bits per element: the mean over the elements of a sample of KL(q(x_{t-1} | x_t, x_0) ||
// p(x_{t-1} | x_t)), and at the first timestep of the negative log-likelihood of x_0 in bins of 1/127.5, by the
// discretised Gaussian. Ho et al. 2020, arXiv:2006.11239, equations 5 and 13; improved-diffusion, losses.py.
//
// The means of q and p differ by factor · (prediction - target), whatever is predicted, and at the first timestep q's is x_0
// itself: no difference of large numbers is taken. Where the logarithm of p's variance comes from says `variance`.

import { type BoundElement, decoderTerm, divergenceTerm } from './bound_terms.ts';
import { demandPrediction, forEachPair } from './mse.ts';
import { NO_MACS, type OpAttrs, type OpDef, type RefTensor, sizeOf, type TensorType } from './op.ts';
import { demand, demandShape, formatType } from './operands.ts';

type BoundAttrs = OpAttrs['variational_bound'];
type BoundName = 'variational_bound' | 'variational_bound_gradient';

/** Columns of c that a bound reads. */
const COLUMNS = 8;

function demandOperands(op: BoundName, inputs: readonly TensorType[], { variance, by }: BoundAttrs): void {
  const wanted = op === 'variational_bound' ? 4 : 5;
  demand(inputs.length === wanted, op, () => `takes ${wanted} operands, got ${inputs.length}`);
  const [prediction, target, x_start, c, g] = inputs;
  demandPrediction(op, prediction!, target!);
  demandShape(op, 'x_start', x_start!, target!.shape);
  demandShape(op, 'c', c!, [target!.shape[0]!, COLUMNS]);
  if (g) demandShape(op, 'g', g, [target!.shape[0]!]);
  demand(['learned', 'learned_range', 'fixed'].includes(variance), op, () => `${variance} is no variance`);
  demand(['both', 'variance'].includes(by), op, () => `by must be both or variance, got ${by}`);
  const channels = target!.shape[1]! * (variance === 'fixed' ? 1 : 2);
  demand(
    prediction!.shape[1] === channels,
    op,
    () => `a prediction of a ${variance} variance has ${channels} channels, got ${formatType(prediction!)}`,
  );
}

export const variational_bound: OpDef<'variational_bound'> = {
  infer(inputs, attrs) {
    demandOperands('variational_bound', inputs, attrs);
    return { dtype: 'f32', shape: [inputs[1]!.shape[0]!] };
  },
  macs: () => NO_MACS,
  // Means 3, variances 5, two exponentials 8, the sum 6 an element.
  flops: (inputs) => 22 * sizeOf(inputs[1]!.shape),
  reference(inputs, attrs) {
    const batch = inputs[1]!.shape[0]!;
    const data = new Float64Array(batch);
    forEachElement(inputs, attrs, (b, _, element) => {
      data[b] = data[b]! + element.value;
    });
    const bits = batch / (Math.LN2 * inputs[1]!.data.length);
    return { shape: [batch], data: data.map((sum) => sum * bits) };
  },
};

/**
 * prediction, target, x_start, c as above and g [B]: the gradient by the prediction. By `variance` the channels of the mean
 * have none: the hybrid loss learns them from its squared error alone.
 */
export const variational_bound_gradient: OpDef<'variational_bound_gradient'> = {
  infer(inputs, attrs) {
    demandOperands('variational_bound_gradient', inputs, attrs);
    return inputs[0]!;
  },
  macs: () => NO_MACS,
  flops: (inputs) => 30 * sizeOf(inputs[1]!.shape),
  reference(inputs, attrs) {
    const [prediction, target, , , g] = inputs as readonly [
      RefTensor,
      RefTensor,
      RefTensor,
      RefTensor,
      RefTensor,
    ];
    const data = new Float64Array(prediction.data.length);
    const count = target.data.length / target.shape[0]!;
    forEachElement(inputs, attrs, (b, at, { byMean, byLogVariance, slope }) => {
      const share = g.data[b]! / (Math.LN2 * count);
      if (attrs.by === 'both') data[at] = byMean * share;
      if (attrs.variance !== 'fixed') data[at + count] = byLogVariance * slope * share;
    });
    return { shape: prediction.shape, data };
  },
};

/** The bound of one element, its derivatives, and how the logarithm of its variance depends on the model's output. */
interface Element extends BoundElement {
  readonly slope: number;
}

function forEachElement(
  inputs: readonly RefTensor[],
  { variance }: BoundAttrs,
  visit: (sample: number, at: number, element: Element) => void,
): void {
  const [prediction, target, x_start, c] = inputs as readonly [RefTensor, RefTensor, RefTensor, RefTensor];
  const count = target.data.length / target.shape[0]!;
  forEachPair(prediction, target, (b, at, t) => {
    const [, , , , factor, posterior, upper, first] = c.data.subarray(
      b * COLUMNS,
      (b + 1) * COLUMNS,
    ) as unknown as readonly [number, number, number, number, number, number, number, number];
    const output = variance === 'fixed' ? 0 : prediction.data[at + count]!;
    const [logVariance, slope] = {
      fixed: [upper, 0] as const,
      learned: [output, 1] as const,
      learned_range: [posterior + ((output + 1) / 2) * (upper - posterior), (upper - posterior) / 2] as const,
    }[variance];
    const distance = factor * (prediction.data[at]! - target.data[t]!);
    const element = first
      ? decoderTerm(x_start.data[t]!, distance, logVariance)
      : divergenceTerm(distance, posterior, logVariance);
    visit(b, at, { ...element, byMean: element.byMean * factor, slope });
  });
}
