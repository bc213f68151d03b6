// One element of the variational bound, in nats, with its derivatives. Both terms are written so that float32 computes them
// as well: what cancels is cancelled on paper.

/** A term and its derivatives by the distance of the means and by the logarithm of the model's variance. */
export interface BoundElement {
  readonly value: number;
  readonly byMean: number;
  readonly byLogVariance: number;
}

/** KL(N(m1, exp(posterior)) || N(m2, exp(logVariance))) for means that are `distance` = m1 - m2 apart. */
export function divergenceTerm(distance: number, posterior: number, logVariance: number): BoundElement {
  const z = posterior - logVariance;
  const precision = Math.exp(-logVariance);
  const square = distance * distance * precision;
  return {
    value: 0.5 * (Math.expm1(z) - z + square),
    byMean: distance * precision,
    byLogVariance: 0.5 * (-Math.expm1(z) - square),
  };
}

/** Below, the logarithm of a probability is not taken, and its derivative is zero. */
const LEAST = 1e-12;

/**
 * -log of the probability of x in its bin, 2/255 wide and open at the ends of [-1, 1], by a Gaussian whose mean is x less
 * `distance`. The normal distribution's integral is sigmoid(2 s(u)) with s(u) = sqrt(2/π) (u + 0.044715 u³), as the original
 * approximates it; that of a bin is sigmoid(2 s(plus)) · sigmoid(-2 s(minus)) · (1 - exp(2 s(minus) - 2 s(plus))).
 */
export function decoderTerm(x: number, distance: number, logVariance: number): BoundElement {
  const inverse = Math.exp(-0.5 * logVariance);
  const plus = inverse * (distance + 1 / 255);
  const minus = inverse * (distance - 1 / 255);
  const below = x < -0.999;
  const above = x > 0.999;
  const width = between(plus, minus);
  const probability =
    (above ? 1 : sigmoid(2 * s(plus))) * (below ? 1 : sigmoid(-2 * s(minus))) * (below || above ? 1 : width);
  if (probability < LEAST) return { value: -Math.log(LEAST), byMean: 0, byLogVariance: 0 };
  const share = below || above ? 1 : width;
  const ofPlus = above
    ? 0
    : (2 * slope(plus) * sigmoid(-2 * s(plus))) / (share * (below ? 1 : sigmoid(-2 * s(minus))));
  const ofMinus = below
    ? 0
    : (-2 * slope(minus) * sigmoid(2 * s(minus))) / (share * (above ? 1 : sigmoid(2 * s(plus))));
  return {
    value: -Math.log(probability),
    byMean: -inverse * (ofPlus + ofMinus),
    byLogVariance: 0.5 * (plus * ofPlus + minus * ofMinus),
  };
}

/** 1 - exp(2 s(minus) - 2 s(plus)), without the difference of two large numbers. */
function between(plus: number, minus: number): number {
  const cubic = plus * plus + plus * minus + minus * minus;
  return -Math.expm1(-2 * SCALE * (plus - minus) * (1 + CUBIC * cubic));
}

const SCALE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

function s(u: number): number {
  return SCALE * (u + CUBIC * u ** 3);
}

/** The derivative of `s`. */
function slope(u: number): number {
  return SCALE * (1 + 3 * CUBIC * u * u);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
